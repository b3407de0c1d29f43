"""The tab "CLIP Skip": a table of all presets, one of them to edit, what was silenced, and import and export.

Its second view is `models_tab`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypedDict

import gradio as gr

from ...hosts.base import Host
from ...models.checkpoint import Checkpoint
from ...models.library import Library, identify_by
from ...models.presets.exchange import Change, apply, export, plan_import
from ...models.presets.preset import Preset, merge, parse_preset, write
from ...models.presets.store import Changed, StoreError
from ...models.survey import Survey
from ...skip.architectures import ENCODER_IDS, UNKNOWN
from ...skip.parameters import BLENDS, PARAMETERS, Refusal
from ...text.bounded_json import MAX_JSON_CHARACTERS
from ...text.log import logger
from ...text.phrase import Data, Phrase, Problem, join, said
from . import markup, presets_view
from .events import Shown, in_page, on
from .models_tab import ModelsView
from .paste import shown
from .presets_view import MARKS

_TITLE, _ID = "CLIP Skip", "clip_skip"
_PRESETS = "presets"  # the first view
_EXPORTED = "clip-skip-presets.json"
# The page itself reads the file that the user opens, and saves what is in the box: no path comes from outside, and no
# file of the server's has to be served. Without a file both boxes stay as they are.
_OPEN = f"""(...boxes) => new Promise((done) => {{
    const input = document.createElement("input");
    input.type = "file";
    input.addEventListener("cancel", () => done(boxes));
    input.addEventListener("change", async () => {{
        const file = input.files[0];
        done(file ? [await file.slice(0, {MAX_JSON_CHARACTERS + 1}).text(), file.name] : boxes);
    }});
    input.click();
}})"""
# A button that can't be pressed, in the words of Gradio 3 and of Gradio 4.
_UNUSABLE = "{__type__: 'update', mode: 'static', interactive: false}"
_DOWNLOAD = f"""(text) => {{
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {{type: "application/json"}}));
    link.download = "{_EXPORTED}";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    return [];
}}"""


class Chosen(TypedDict):
    """The preset that the form was filled from.

    A save writes what differs from it, so that what somebody else changed meanwhile stays.
    """

    key: str
    raw: dict[str, object]
    label: str


def build(host: Host, library: Library, survey: Survey) -> list[tuple[object, str, str]]:
    """The tab, as the host's `on_ui_tabs` takes it: (blocks, title, element id)."""
    return [(_Tab(host, library, survey).blocks, _TITLE, _ID)]


class _Tab:
    """The components of the tab and what they do.

    `chosen` is a `Chosen`, `previewed` what the user saw before the import, `undoable` what the last press changed.
    All three are None where there is nothing.
    """

    def __init__(self, host: Host, library: Library, survey: Survey) -> None:
        self._host = host
        self._library = library
        self._store = library.presets
        with gr.Blocks(analytics_enabled=False) as self.blocks:
            self.chosen, self.previewed, self.undoable = gr.State(None), gr.State(None), gr.State(None)
            with gr.Tabs(elem_id="clip_skip_views") as self.views:
                with gr.TabItem("Presets", id=_PRESETS):
                    self._build()
                with gr.TabItem("Models", id="models") as view:
                    self.models = ModelsView(library, survey)
            self._listen()
            self.models.listen(view.select, self._show, [self.views, self.search, *self._choosing])
        for component in self.blocks.blocks.values():
            component.do_not_save_to_config = True

    @staticmethod
    def _id(name: str) -> str:
        return f"clip_skip_presets_{name}"

    def _build(self) -> None:
        self.problems = gr.HTML("", elem_id=self._id("problems"))
        with gr.Row():
            with gr.Column(scale=3, min_width=280):
                self._build_table()
            with gr.Column(scale=2, min_width=280):
                self._build_form()
        with gr.Accordion("Silenced advice", open=False, elem_id=self._id("silenced_part")):
            self._build_silenced()
        with gr.Accordion("Import", open=False, elem_id=self._id("import_part")):
            self._build_import()
        with gr.Accordion("Export", open=False, elem_id=self._id("export_part")):
            self._build_export()

    def _build_table(self) -> None:
        self.search = gr.Textbox(
            "", label="Search", placeholder="Model, note or number", max_lines=1, elem_id=self._id("search")
        )
        self.table = gr.HTML("", elem_id=self._id("table"))
        # Pressed by the page's script: when the page or the tab is opened, and for a press on a row.
        self.refresh = gr.Button("", visible=False, elem_id=self._id("refresh"))
        self.picked = gr.Textbox("", visible=False, elem_id=self._id("picked"))
        self.pick = gr.Button("", visible=False, elem_id=self._id("pick"))

    def _build_form(self) -> None:
        self.model = gr.Dropdown([], label="Model", elem_id=self._id("model"))
        with gr.Column(visible=False, elem_id=self._id("form")) as self.form:
            self.about = gr.HTML("", elem_id=self._id("about"))
            with gr.Row():
                numbers = [
                    gr.Number(None, label=PARAMETERS[id].label, step=0.5, min_width=80, elem_id=self._id(id))
                    for id in ENCODER_IDS
                ]
            blend = gr.Radio(
                shown(BLENDS), value=shown(BLENDS)[0], label=PARAMETERS["blend"].label, elem_id=self._id("blend")
            )
            mark = gr.Radio(list(MARKS), value=next(iter(MARKS)), label="Origin", elem_id=self._id("mark"))
            note = gr.Textbox("", label="Your note", lines=2, elem_id=self._id("note"))
            with gr.Row():
                self.save = gr.Button("Save preset", variant="primary", size="sm", elem_id=self._id("save"))
                self.delete = gr.Button("Delete preset", size="sm", elem_id=self._id("delete"))
        # Right below the buttons that it answers.
        self.said, self.undo = self._build_answer("said", "undo")
        with gr.Column(visible=False) as self.copying:
            self.target = gr.Dropdown([], label="Other model", elem_id=self._id("target"))
            self.copy = gr.Button("Copy to this model", size="sm", elem_id=self._id("copy"))
        self.fields = [*numbers, blend, mark, note]

    def _build_answer(self, said: str, undo: str) -> tuple[Any, Any]:
        """How what was pressed ended, and the button that takes it back."""
        with gr.Row(elem_id=self._id(f"{said}_row")):
            answer = gr.HTML("", elem_id=self._id(said))
            return answer, gr.Button("Undo", visible=False, size="sm", elem_id=self._id(undo))

    def _build_silenced(self) -> None:
        self.silenced = gr.HTML("", elem_id=self._id("silenced"))
        self.again = gr.Button("", visible=False, elem_id=self._id("again"))  # pressed for a press in the list
        self.all_again = gr.Button("Tell me everything again", visible=False, size="sm", elem_id=self._id("all_again"))

    def _build_import(self) -> None:
        self.text = gr.Textbox(
            "",
            label="Text to import",
            lines=6,
            max_lines=12,
            placeholder="An export from here, A1111's notes on a model, Model Preset Manager, Config-Presets,"
            " generation parameters, or a line for each model: my-model: clip skip 2",
            elem_id=self._id("text"),
        )
        self.filename = gr.Textbox(
            "",
            label="File name",
            placeholder="Needed where it alone tells the model, as with A1111's notes",
            max_lines=1,
            elem_id=self._id("filename"),
        )
        with gr.Row():
            self.open = gr.Button("Open a file", size="sm", elem_id=self._id("open"))
            self.preview = gr.Button("Preview", size="sm", elem_id=self._id("preview"))
        self.changes, self.undo_import = self._build_answer("changes", "undo_import")
        self.take = gr.Button("Import", variant="primary", size="sm", interactive=False, elem_id=self._id("import"))

    def _build_export(self) -> None:
        with gr.Row():
            self.give = gr.Button("Show all presets", size="sm", elem_id=self._id("export"))
            self.download = gr.Button("Download", visible=False, size="sm", elem_id=self._id("download"))
        self.exported = gr.Textbox(
            "",
            label="All presets",
            lines=6,
            max_lines=12,
            interactive=False,
            visible=False,
            elem_id=self._id("exported"),
        )

    def _listen(self) -> None:
        overview = [self.problems, self.table, self.model, self.target, self.silenced, self.all_again]
        answered = [self.said, self.undoable, self.undo, self.undo_import]
        form = [self.chosen, self.form, self.about, self.delete, self.copying, *self.fields]
        imported = [self.previewed, self.changes, self.take]

        self._choosing = [*form, *answered, self.table, self.model]

        found = (self._found, [self.search, self.chosen], [self.table, self.model])
        # Gradio 3 drops what is typed while it waits for an answer; what comes after the answer asks once more.
        on(on(self.search.change, *found).then, *found)
        now = [self.search, self.chosen, *self.fields]
        on(self.refresh.click, self._refresh, now, [*overview, *form])
        for event, label in ((self.model.input, self.model), (self.pick.click, self.picked)):
            on(event, self._choose, [label, self.search], self._choosing)
        on(self.again.click, self._tell_again, [self.picked, *now], [*overview, *form, self.said])
        on(self.all_again.click, lambda *now: self._tell_again(None, *now), now, [*overview, *form, self.said])
        changing = [*overview, *form, *answered]
        on(self.save.click, self._save, now, changing)
        on(self.delete.click, self._delete, [self.search, self.chosen], changing)
        on(self.copy.click, self._copy, [self.search, self.chosen, self.target], changing)
        on(self.undo.click, self._undo, [self.search, self.chosen, self.undoable], changing)
        on(self.undo_import.click, self._undo_import, [self.search, self.chosen, self.undoable], [*changing, *imported])

        given = [self.text, self.filename]
        on(self.open.click, self._opened, given, [*given, *imported], _js=_OPEN)
        on(self.preview.click, self._preview, given, imported)
        for box in given:
            # In the page: an answer of the host could come after that to what is pressed then.
            in_page(box.input, f"() => ['', {_UNUSABLE}]", to=[self.changes, self.take])
        taking = [self.search, self.chosen, self.previewed, *given]
        on(self.take.click, self._import, taking, [*imported, *overview, *answered])
        on(self.give.click, self._export, [], [self.exported, self.download])
        in_page(self.download.click, _DOWNLOAD, self.exported)

    # the table

    def _found(self, search: str | None, chosen: Chosen | None) -> Shown:
        rows = presets_view.rows(self._store.all())
        current = next((row.label for row in rows if chosen and row.key == chosen["key"]), None)
        found = [row for row in rows if row.matches(search or "")]
        room, table = presets_view.shown(found, search or "", current)
        current = current or (str(chosen["label"]) if chosen else None)
        choices = [row.label for row in room]
        # After them, the models that have none yet.
        others = presets_view.without_row(self._host.checkpoints(), rows, self._key)
        choices += [title for title in others if presets_view.holds(title, search or "")]
        if current and current not in choices:  # what is being edited stays on offer, whatever is searched for
            choices.insert(0, current)
        return {self.table: gr.update(value=table), self.model: gr.update(choices=choices, value=current)}

    def _key(self, title: str) -> str:
        """The key under which the preset of the host's model `title` is kept, "" where there is no such file."""
        checkpoint = self._host.checkpoint(title)
        return self._library.profile(checkpoint).key if checkpoint and checkpoint.file_name else ""

    def _overview(self, search: str | None, chosen: Chosen | None) -> Shown:
        silenced = presets_view.silenced(self._store.all())
        return {
            **self._found(search, chosen),
            self.problems: gr.update(value=presets_view.problems(self._store.check())),
            self.target: gr.update(choices=self._host.checkpoints()),
            self.silenced: gr.update(value=silenced or markup.line("No advice is silenced.")),
            self.all_again: gr.update(visible=bool(silenced)),
        }

    def _refresh(self, search: str, chosen: Chosen | None, *fields: object) -> Shown:
        """Show the presets of now. What was typed into the form and not saved stays."""
        form: Shown = {}
        if chosen and list(fields) == _fields(parse_preset(chosen["raw"])):
            form = self._form(**chosen)
            chosen = form[self.chosen]
        return {**self._overview(search, chosen), **form}

    # the form

    def _form(self, key: str | None, label: str = "", **_: object) -> Shown:
        """The form with the preset under `key`; where there is none, an empty one for the host's model `label`."""
        kept = self._store.all().get(key) if key else None
        checkpoint = self._host.checkpoint(label) if label and kept is None else None
        preset = kept or (Preset(checkpoint.file_name) if checkpoint else None)
        if preset is None:
            hidden = gr.update(visible=False)
            return {self.chosen: None, self.form: hidden, self.copying: hidden}
        about = markup.line("1 is as trained, 2 leaves one layer out; empty is not set.")
        if unusable := presets_view.unusable(preset):
            until = "It is ignored, and stays in the file until another value is saved."
            about += markup.line(*unusable, Data(". "), until)
        return {
            self.chosen: {"key": key, "raw": write(preset), "label": "" if kept else label},
            self.form: gr.update(visible=True),
            self.about: gr.update(value=about),
            self.delete: gr.update(visible=kept is not None),
            self.copying: gr.update(visible=kept is not None),
            **self._filled(preset, checkpoint or self._host.checkpoint(preset.name)),
        }

    def _filled(self, preset: Preset, checkpoint: Checkpoint | None) -> Shown:
        """The fields with what is kept; those that mean nothing for the model are hidden unless they hold something."""
        architecture = checkpoint.architecture if checkpoint else UNKNOWN
        read = [encoder.id for encoder in architecture.encoders]
        shows = [not read or id in read or id in preset.skip for id in ENCODER_IDS]
        shows += [True, not read or architecture.id == "sd1" or preset.lineage is not None, True]
        filled = zip(self.fields, _fields(preset), shows, strict=True)
        return {box: gr.update(value=value, visible=visible) for box, value, visible in filled}

    def _choose(self, label: str | None, search: str) -> Shown:
        """Fill the form with the row `label` of the table, or for the host's model of that title."""
        key = next((row.key for row in presets_view.rows(self._store.all()) if row.label == label), None)
        if label and key is None:
            key = self._key(label) or None  # its preset may go by another name than its title
        form = self._form(key, label or "")
        return {**form, **self._said(), **self._found(search, form[self.chosen])}

    def _show(self, title: str) -> Shown:
        """The view of presets, with the host's model of this title chosen."""
        return {self.views: gr.update(selected=_PRESETS), self.search: gr.update(value=""), **self._choose(title, "")}

    def _save(self, search: str, chosen: Chosen | None, *fields: object) -> Shown:
        if not chosen:
            return self._said("Choose a model first.")
        key = chosen["key"]
        try:
            preset = _edited(parse_preset(chosen["raw"], key), fields)

            def edit(presets: dict[str, object]) -> None:
                # One that was deleted meanwhile is saved whole, as the form shows it.
                base = preset if key in presets else replace(preset, origin=None)
                presets[key] = merge(presets.get(key), base, (key,))

            changed = self._store.change(edit)
        except (StoreError, ValueError) as error:
            return self._said("Not saved:", Data(" "), *said(error))
        return {**self._now(search, key), **self._said("Saved.", undo=changed)}

    def _tell_again(self, key: str | None, search: str, chosen: Chosen | None, *fields: object) -> Shown:
        """Silence nothing any more about the model of `key`, None: about any."""
        try:
            self._library.tell_again(key)
        except StoreError as error:
            return {self.said: gr.update(value=markup.line("Not saved:", Data(f" {error}")))}
        return self._refresh(search, chosen, *fields)

    def _delete(self, search: str, chosen: Chosen | None) -> Shown:
        if not chosen:
            return self._said("Choose a model first.")
        try:
            changed = self._store.change(lambda presets: presets.pop(chosen["key"], None))
        except StoreError as error:
            return self._said("Nothing was changed:", Data(f" {error}"))
        name = parse_preset(chosen["raw"]).name or str(chosen["key"])
        return {**self._now(search, None), **self._said("Deleted:", Data(f" {name}"), undo=changed)}

    def _copy(self, search: str, chosen: Chosen | None, title: str | None) -> Shown:
        """Save the chosen preset for the host's model `title` as well. The form may hold what is not saved yet."""
        if not chosen:
            return self._said("Choose a model first.")
        to = self._host.checkpoint(title) if title else None
        if to is None or not to.file_name:
            return self._said("Choose the model that it shall be copied to.")
        before = self._library.profile(to)
        if before.key == chosen["key"]:
            return self._said("That is the model of this preset itself.")
        try:
            changed = self._store.copy(
                chosen["key"], to.sha256, to.kept_name, to.architecture, to.place, to.has_namesake
            )
        except (StoreError, ValueError) as error:
            return self._said("Nothing was changed:", Data(" "), *said(error))
        phrase: Phrase = ("Copied to:", Data(f" {title}"))
        if before.preset is not None:
            phrase = (*phrase, Data(". "), "Its preset was replaced:", Data(" "), *presets_view.in_words(before.preset))
        return {**self._overview(search, chosen), **self._said(*phrase, undo=changed)}

    def _undo(self, search: str, chosen: Chosen | None, undoable: Changed | None) -> Shown:
        """Keep what was kept before the last press, and show it in the form, where that is not another preset's."""
        if undoable is None:
            return self._said()
        try:
            self._store.restore(undoable)
        except StoreError as error:
            return self._said("Not undone:", Data(f" {error}"))
        undone = self._said("Undone.")
        if chosen and chosen["key"] not in undoable.before:
            return {**self._overview(search, chosen), **undone}
        return {**self._now(search, chosen["key"] if chosen else next(iter(undoable.before))), **undone}

    def _said(self, *phrase: str, undo: Changed | None = None) -> Shown:
        """How what was pressed ended, with a button that takes back what it changed."""
        return {self.said: _line(phrase), **self._undoing(self.undo, undo)}

    def _undoing(self, button: object, undo: Changed | None) -> Shown:
        """`undo` is what is taken back from now on, with this button; None: nothing."""
        can = undo is not None and bool(undo.before)
        shows = {each: gr.update(visible=can and each is button) for each in (self.undo, self.undo_import)}
        return {self.undoable: undo if can else None, **shows}

    def _now(self, search: str, key: str | None) -> Shown:
        """What is kept now, and in the form what is under `key`."""
        form = self._form(key)
        return {**form, **self._overview(search, form[self.chosen])}

    # import and export

    def _opened(self, text: str, filename: str) -> Shown:
        """Put the text of a file into the box, where it can be read before anything is done with it."""
        name = gr.update(value=filename)
        if "\0" in text:
            return {self.filename: name, **self._nothing_previewed("This file is no text:", Data(f" {filename}"))}
        return {self.filename: name, self.text: gr.update(value=text), **self._preview(text, filename)}

    def _plan(self, text: str, filename: str) -> tuple[list[Change], str]:
        """The changes that the text makes, and what the user sees of them. Raises ValueError."""
        changes = plan_import(text, self._store, filename, identify_by(self._host.checkpoint, self._host.checkpoints))
        return changes, presets_view.preview(changes)

    def _preview(self, text: str | None, filename: str | None) -> Shown:
        text, filename = text or "", filename or ""
        if not text.strip():
            return self._nothing_previewed("Paste a text or open a file first.")
        if len(text) > MAX_JSON_CHARACTERS:
            return self._nothing_previewed("Nothing to import:", Data(" "), "it is too long to be presets")
        try:
            changes, seen = self._plan(text, filename)
        except ValueError as error:
            return self._nothing_previewed("Nothing to import:", Data(" "), *said(error))
        return {
            self.previewed: (text, filename, seen),
            self.changes: gr.update(value=seen),
            self.take: gr.update(interactive=any(not change.refused for change in changes)),
        }

    def _nothing_previewed(self, *phrase: str) -> Shown:
        return {
            self.previewed: None,
            self.changes: _line(phrase),
            self.take: gr.update(interactive=False),
        }

    def _import(
        self,
        search: str,
        chosen: Chosen | None,
        previewed: Sequence[str] | None,
        text: str | None,
        filename: str | None,
    ) -> Shown:
        """Do what was previewed, if it is still just that."""
        again = self._preview(text, filename)
        if not previewed or again[self.previewed] is None or tuple(previewed) != again[self.previewed]:
            return self._not_imported(again, "it would now change something else than what was shown. Look again.")
        try:
            number, changed = apply(self._plan(text or "", filename or "")[0], self._store)
        except (StoreError, ValueError) as error:
            return self._not_imported(again, *said(error))
        logger.info("%d presets were imported", number)
        done = {**self._nothing_previewed("Imported:", Data(f" {number}")), **self._overview(search, chosen)}
        return {**done, self.said: _line(()), **self._undoing(self.undo_import, changed)}

    def _undo_import(self, search: str, chosen: Chosen | None, undoable: Changed | None) -> Shown:
        """As `_undo`, told where the import is."""
        undone = self._undo(search, chosen, undoable)
        return {**undone, **self._nothing_previewed(), self.changes: undone[self.said], self.said: _line(())}

    def _not_imported(self, again: Shown, *why: str) -> Shown:
        """Why, above what it would change now."""
        before = markup.line("Not imported:", Data(" "), *why)
        return {**again, self.changes: gr.update(value=before + again[self.changes]["value"])}

    def _export(self) -> Shown:
        return {
            self.exported: gr.update(value=export(self._store), visible=True),
            self.download: gr.update(visible=True),
        }


def _fields(preset: Preset) -> list[object]:
    """What the form shows of `preset`, in the order of its fields."""
    mark = next(words for words, mark in MARKS.items() if mark == preset.lineage)
    return [*(preset.skip.get(id) for id in ENCODER_IDS), shown([preset.blend])[0], mark, _note(preset)]


def _note(preset: Preset) -> str:
    # As the page can hold it: no lone surrogates, and lines that end as there.
    return preset.note.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


def _edited(preset: Preset, fields: Sequence[Any]) -> Preset:
    """`preset` with what the form's fields say. Raises ValueError, naming what can't be taken."""
    *numbers, blend, mark, note = fields
    skip = {id: value for id, value in zip(ENCODER_IDS, numbers, strict=True) if value is not None}
    typed = parse_preset({"skip": skip, "blend": blend, "lineage": MARKS.get(mark)})
    if typed.refusals:
        raise Problem(*join(map(_refused, typed.refusals), "; "))
    note = note or ""
    note = preset.note if note == _note(preset) else note
    return replace(preset, skip=typed.skip, blend=typed.blend, lineage=typed.lineage, note=note)


def _refused(refusal: Refusal) -> Phrase:
    """A number that can't be taken; nothing else in the form can be."""
    parameter = PARAMETERS[refusal.name.removeprefix("skip.")]
    return (Data(f"{parameter.label} {refusal.value} ("), "accepted:", Data(f" 1 - {parameter.maximum})"))


def _line(phrase: Phrase) -> object:
    return gr.update(value=markup.line(*phrase) if phrase else "")
