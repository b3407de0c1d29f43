"""What the rest of the extension asks of a WebUI; on its own, the adapter for a WebUI that nobody knows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..conditioning.loaded_model import LoadedModel
from ..jobs.job import Job
from ..models.checkpoint import NO_CHECKPOINT, Checkpoint
from ..skip.architectures import Architecture
from ..skip.prompt_tags import Tags
from ..skip.reading import Reading, as_trained
from .idle import no_model

# The attribute of the host's job object under which its `Job` lives; None there says "off for this job".
JOB_ATTRIBUTE = "clip_skip_job"

T = TypeVar("T")


class Host:
    """A WebUI. This class is the unknown one: it is known to nothing and touches nothing."""

    known = False
    # Whether the host's `InputAccordion` shows its checkbox.
    input_accordion = False

    def __init__(self, shared: Any = None) -> None:
        self._shared = shared  # the host's module of that name: its options and its command line

    @property
    def opts(self) -> Any:
        """The host's options."""
        return getattr(self._shared, "opts", None)

    def flag(self, name: str) -> Any:
        """The value of our command line flag `--clip-skip-NAME`, None if it was not given."""
        return getattr(getattr(self._shared, "cmd_opts", None), f"clip_skip_{name}", None)

    @property
    def data_path(self) -> str | None:
        """The folder under which the host keeps its users' data, None if it has none."""
        return getattr(sys.modules.get("modules.paths"), "data_path", None)

    @property
    def scripts(self) -> Sequence[Any]:
        """What the host has loaded of each script: its class, and its module."""
        return getattr(sys.modules.get("modules.scripts"), "scripts_data", ())

    @property
    def extra_networks(self) -> Any:
        """The host's module of that name, None if it has none."""
        return sys.modules.get("modules.extra_networks")

    def install(self) -> None:
        """Hook into the host's conditioning stage, once; undone by `uninstall`."""

    def uninstall(self) -> None:
        """Take every hook out of the host again."""

    def runs(self, p: Any) -> bool:
        """Whether `p` is run by the host, and no copy of such a job that another extension shows to the scripts."""
        return True

    def begin(self, p: Any, job: Job | None) -> None:
        """The job `p` is about to run on its model. None: it runs without us, also inside another job of ours."""

    def tagged(self, p: Any, tags: Tags) -> None:
        """The prompts that `p` encodes next have these tags."""

    def encoded(self, p: Any) -> None:
        """The prompts of a batch of `p` have been encoded, where the host does not tell sooner."""

    def encode(self, prompt: str, work: Callable[[LoadedModel, Callable[[], object]], T]) -> T:
        """The result of `work(model, encode)`, which is called between two jobs, with the model that is loaded now.

        `encode()` sends `prompt` once through its text encoders, in the host's own way, but without emphasis and extra
        networks; the host's caches neither serve nor see it. Never waits for a job, and loads nothing. Raises Problem
        where one runs or no model is loaded.
        """
        raise no_model()

    def loaded(self) -> Checkpoint:
        """The checkpoint that is loaded now; loads nothing."""
        return NO_CHECKPOINT

    def selected(self, name: str | None = None) -> Checkpoint:
        """The checkpoint `name`, or the one that is selected now; loads nothing."""
        return NO_CHECKPOINT

    def checkpoint(self, name: str) -> Checkpoint | None:
        """The checkpoint that the host lists under exactly this name, title or hash; loads nothing."""
        return None

    def checkpoints(self) -> list[str]:
        """The titles of all checkpoints, as users see them; `checkpoint` knows each."""
        return []

    def reading(self, architecture: Architecture, number: float | None = None, p: Any = None) -> Reading:
        """How the host's own CLIP skip has a model of this architecture read, where no plan of ours is active.

        Its number is `number` if that is given, else that of the job `p`, else what the host's options say.
        """
        return Reading(architecture, as_trained(architecture))

    def slider_for(self, architecture: Architecture, skips: Mapping[str, float]) -> float | None:
        """The number at the host's own CLIP skip that gives exactly these skips, None if none does."""
        return None

    def use(self, number: float) -> bool:
        """Set the host's own CLIP skip to `number` for good. False where only its page can, or nothing may be set."""
        return False

    def is_slider(self, component: Any, elem_id: str | None = None) -> bool:
        """Whether this component of the host's page is its own CLIP skip control.

        Can be asked as soon as the component is made: `elem_id` is the one that the host gave it, if any.
        """
        return False

    def lora_file(self, name: str) -> str | None:
        """The path of the LoRA that `<lora:NAME:...>` means in a prompt, None if none is listed; loads nothing."""
        return None


def listed(models: Any, name: str) -> Any:
    """What the host's module `models` lists as `name`, None if nothing.

    For names from outside: the host's own search takes parts of names, and SD.Next's also paths and addresses.
    """
    info = models.checkpoint_aliases.get(name)
    return info or next((info for info in models.checkpoints_list.values() if info.model_name == name), None)
