"""The contract: what the rest of the extension asks of a WebUI, whichever it is.

Its adapters stand beside it, and so does `unknown`, for a WebUI that nobody knows: none of them inherits an answer
from here. mypy, and `tests/unit/test_contract.py`, find what one of them lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from ..conditioning.loaded_model import LoadedModel
from ..jobs.job import Job
from ..jobs.sheet import Font, Sheet
from ..models.checkpoint import Checkpoint
from ..skip.architectures import Architecture
from ..skip.prompt_tags import Tags
from ..skip.reading import Reading
from .protocols import Component, ExtraNetworks, Options, Processed, Processing, ScriptData

T = TypeVar("T")


class Host(Protocol):
    """A WebUI."""

    @property
    def known(self) -> bool:
        """Whether anybody knows this WebUI; if not, nothing of it is touched."""

    @property
    def input_accordion(self) -> Callable[..., Any] | None:
        """The host's class of that name, a checkbox with its accordion, where it shows that checkbox; else None."""

    @property
    def opts(self) -> Options:
        """The host's options."""

    def flag(self, name: str) -> Any:
        """The value of our command line flag `--clip-skip-NAME`, None if it was not given."""

    @property
    def data_path(self) -> str | None:
        """The folder under which the host keeps its users' data, None if it has none."""

    @property
    def scripts(self) -> Iterable[ScriptData]:
        """What the host has loaded of each script."""

    @property
    def extra_networks(self) -> ExtraNetworks | None:
        """The host's module of that name, None if it has none."""

    @property
    def restores_skip(self) -> bool:
        """Whether pasting the text of an image sets the number that it names at the host's own CLIP skip."""

    def install(self, begun: Callable[[Processing], None]) -> None:
        """Hook into the host's conditioning stage, once; undone by `uninstall`.

        `begun(p)` is called for a job that runs no script of ours, by a host that tells of those.
        """

    def uninstall(self) -> None:
        """Take every hook out of the host again."""

    def runs(self, p: Processing) -> bool:
        """Whether the host itself tells of `p`, which it runs.

        False where another extension shows a running job, or a copy of it, to the scripts again.
        """

    def begin(self, p: Processing, job: Job | None) -> None:
        """The job `p` is about to run on its model. None: it runs without us, also inside another job of ours."""

    def tagged(self, p: Processing, tags: Tags) -> None:
        """The prompts that `p` encodes next have these tags."""

    def encoded(self, p: Processing) -> None:
        """The prompts of a batch of `p` have been encoded, where the host does not tell sooner."""

    def asks_anew(self, p: Processing) -> None:
        """The job of `p`, which runs, asks for something else from now on."""

    def repeats(self, p: Processing) -> bool:
        """Whether `p`, which has begun, may make its images several times: not inside of a job, nor for a script."""

    def batches(self, count: int, size: int) -> Mapping[str, str | None]:
        """What the host's generation parameters say of so many batches of so many images; None leaves a key out."""

    def font(self, size: int) -> Font | None:
        """The font of the host's own grids, of so many pixels, None if it has none."""

    def save_grid(self, p: Processing, grid: Sheet, processed: Processed) -> None:
        """Save an image of the images of `processed`, with the text of the first, as the host's user saves grids."""

    def encode(self, prompt: str, work: Callable[[LoadedModel, Callable[[], object]], T]) -> T:
        """The result of `work(model, encode)`, which is called between two jobs, with the model that is loaded now.

        `encode()` sends `prompt` once through its text encoders, in the host's own way, but without emphasis and extra
        networks; the host's caches neither serve nor see it. Never waits for a job, and loads nothing. Raises Problem
        where one runs or no model is loaded.
        """

    def loaded(self) -> Checkpoint:
        """The checkpoint that is loaded now; loads nothing."""

    def selected(self, name: str | None = None) -> Checkpoint:
        """The checkpoint `name`, or the one that is selected now; loads nothing."""

    def checkpoint(self, name: str) -> Checkpoint | None:
        """The checkpoint that the host lists under exactly this name, title or hash; loads nothing."""

    def checkpoints(self) -> list[str]:
        """The titles of all checkpoints, as users see them; `checkpoint` knows each."""

    @property
    def busy(self) -> bool:
        """Whether a job runs, or is being set up."""

    @property
    def hashes(self) -> bool:
        """Whether the host works out the SHA-256 of models: False where it can't, or its user has switched that off."""

    def hash_of(self, path: str) -> str | None:
        """The SHA-256 that the host has for the checkpoint at `path` as the file is now; works out nothing."""

    def keep_hash(self, path: str, sha256: str, modified: float) -> None:
        """Let the host have the SHA-256 of the checkpoint at `path`, as the file was at its time `modified`."""

    def reading(self, architecture: Architecture, number: float | None = None, p: Processing | None = None) -> Reading:
        """How the host's own CLIP skip has a model of this architecture read, where no plan of ours is active.

        Its number is `number` if that is given, else that of the job `p`, else what the host's options say.
        """

    def slider_for(self, architecture: Architecture, skips: Mapping[str, float]) -> float | None:
        """The number at the host's own CLIP skip that gives exactly these skips, None if none does."""

    def use(self, number: float) -> bool:
        """Set the host's own CLIP skip to `number` for good. False where only its page can, or nothing may be set."""

    def is_slider(self, component: Component, elem_id: str | None = None) -> bool:
        """Whether this component of the host's page is its own CLIP skip control.

        Can be asked as soon as the component is made: `elem_id` is the one that the host gave it, if any.
        """

    def lora_file(self, name: str) -> str | None:
        """The path of the LoRA that `<lora:NAME:...>` means in a prompt, None if none is listed; loads nothing."""

    def loras(self) -> dict[str, str]:
        """The path of each LoRA that the host lists, by its name there; loads nothing."""
