"""HTML for the page. What comes from files is hostile: it is escaped, since only `Markup` is taken as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from ...text.phrase import Data, Phrase
from ...text.plain import plain

_LONGEST = 300
NOTHING = Markup()


def joined(parts: Iterable[str]) -> Markup:
    """The parts one after the other; what is no `Markup` is escaped."""
    return NOTHING.join(parts)


def text(value: str) -> Markup:
    return escape(plain(value, _LONGEST))


def pieces(phrase: Phrase) -> Markup:
    """Each piece in an element of its own, where the page's translation finds it; data are marked as no words."""
    return joined(map(_piece, phrase))


def _piece(piece: str) -> Markup:
    span = Markup("<span translate=no>{}</span>" if isinstance(piece, Data) else "<span>{}</span>")
    return span.format(_edges(piece, text(piece)))


def line(*phrase: str) -> Markup:
    return Markup('<p class="clip-skip-words">{}</p>').format(pieces(phrase))


def bullets(phrases: Iterable[Phrase]) -> Markup:
    """A list with a point for each of the phrases."""
    return Markup("<ul>{}</ul>").format(joined(Markup("<li>{}</li>").format(pieces(phrase)) for phrase in phrases))


def messages(items: Sequence[Markup]) -> Markup:
    """The messages as one block; empty where there are none."""
    return Markup('<div class="clip-skip-advice">{}</div>').format(joined(items)) if items else NOTHING


def _edges(piece: str, shown: Markup) -> Markup:
    """`shown` with the spaces around `piece`, which part it from its neighbours."""
    before, after = (" " if edge.isspace() else "" for edge in (piece[:1], piece[-1:]))
    return before + shown + after if shown else Markup(before)


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Phrase]],
    picks: Sequence[str] = (),
    chosen: str | None = None,
    heads: Sequence[Markup] = (),
) -> Markup:
    """The rows under their heads. With `picks`, the first cell of each row is a button that stands for its pick.

    The row of the pick `chosen` is marked. `heads` are cells that stand for those of `head`, where they are more than
    words.

    A narrow page has the cells of a row one below the other, each with its head before it, which a wide one hides.
    """
    lines = []
    for number, row in enumerate(rows):
        first, *rest = map(pieces, row)
        if picks:
            button = Markup('<button type="button" data-clip-skip-pick="{}">{}</button>')
            first = button.format(picks[number], first)
        cells = [Markup('<td data-head="{}">{}</td>').format(text(head[0]), first)]
        cells += [_cell(name, cell) for name, cell in zip(head[1:], rest, strict=True)]
        mark = Markup(' aria-current="true"') if picks and picks[number] == chosen else NOTHING
        lines.append(Markup("<tr{}>{}</tr>").format(mark, joined(cells)))
    heads = heads or [Markup("<th>{}</th>").format(text(name)) for name in head]
    whole = Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>")
    return whole.format(joined(heads), joined(lines))


def _cell(head: str, cell: Markup) -> Markup:
    named = Markup('<span class="clip-skip-head" hidden>{}</span>').format(pieces((head, Data(": "))))
    return Markup('<td data-head="{}">{}{}</td>').format(text(head), named if cell else "", cell)
