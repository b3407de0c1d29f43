"""Compare: a job that makes each of its images at several skips, and the sheet with all of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..advice.rules import BY_SCRIPT, NOT_WHOLE, not_compared
from ..jobs.job import Job
from ..jobs.sheet import FontOf, Sheet, draw
from ..skip.numbers import label
from ..skip.plan import Plan
from ..skip.request import Request
from ..text.log import logger
from ..text.phrase import Data
from .attributes import COMPARISON_ATTRIBUTE
from .protocols import Processed, Processing

# What has an item for each image of the job.
_LISTS = (
    "all_prompts",
    "all_negative_prompts",
    "all_seeds",
    "all_subseeds",
    "all_hr_prompts",
    "all_hr_negative_prompts",
)


class Comparison:
    """The job `p` makes all of its batches for one request of its `job`, then all of them for the next one.

    So there is one encode for each request. It lives on the job object, and ends with the job. `texts` gives what the
    host's generation parameters say of so many batches of so many images.
    """

    def __init__(self, p: Processing, job: Job, texts: Callable[[int, int], Mapping[str, str | None]]) -> None:
        self._p = p
        self._job = job
        self._texts = texts
        self._before: dict[str, object] = {}  # what the job object had before it was laid out
        self._said: Mapping[str, str | None] = {}
        self._compared: list[tuple[Request, Plan]] = []
        self._batches = 0  # for each of them
        self._made: list[int] = []  # the batches that were sampled

    def wait(self) -> None:
        """Lay the job out as soon as its prompts are final: scripts may change them until the host sets it up."""
        self._p.init = _Late(self._p, self)  # type: ignore[method-assign]

    def lay_out(self) -> None:
        """Have the job make its batches for each request. The prompts are final."""
        p = self._p
        if getattr(p, "xyz", False):
            self.refuse()
            return
        batches = min(p.n_iter, -(-len(p.all_prompts or ()) // p.batch_size))
        images = batches * p.batch_size
        compared = self._job.compared((p.all_prompts or [])[:images])
        if not compared:
            return
        if len(p.all_prompts or ()) < images:
            self._job.say(not_compared((NOT_WHOLE,)))
            return
        self._compared, self._batches = compared, batches
        for name in _LISTS:
            items = getattr(p, name, None)
            if isinstance(items, list):
                self._set(name, items[:images] * len(compared))
        self._set("n_iter", batches * len(compared))
        self._set("do_not_save_grid", True)  # the host's own has no numbers
        self._said = self._texts(batches, p.batch_size)
        p.extra_generation_params.update(self._said)

    def refuse(self) -> None:
        """A script of the host's makes the images: each of them would be several."""
        self._job.say(not_compared((BY_SCRIPT,)))

    @property
    def plans(self) -> list[tuple[Request, Plan]]:
        """What is compared, empty where nothing is."""
        return self._compared

    def begins(self, batch: int) -> bool:
        """The batch of this number begins: whether the job asks for something else from now on."""
        if not self._compared:
            return False
        request = self._compared[batch // self._batches][0]
        changes = self._job.asked is not request
        if changes:
            self._job.ask(request)
        return changes

    def sampled(self, batch: int) -> None:
        """The batch of this number gives images, whole or not."""
        self._made.append(batch)

    def sheet(self, processed: Processed, font_of: FontOf) -> Sheet | None:
        """The images of `processed` side by side with their numbers; None where fewer than two were made."""
        images = processed.images[processed.index_of_first_image :]
        # Masks and what other extensions add have no text of their own.
        told = [image for image in images if "parameters" in image.info] or images
        size = self._p.batch_size
        if not self._compared or len(self._made) * size < 2:
            return None
        if len(told) < len(self._made) * size:
            raise ValueError(f"{len(self._made) * size} images were made, and {len(told)} are there")
        cells = {}
        for place, batch in enumerate(self._made):
            column, row = divmod(batch, self._batches)
            for index in range(size):
                cells[column, row * size + index] = told[place * size + index]
        return draw(cells, [label(plan.skips) for _, plan in self._compared], font_of)

    def saves_grids(self) -> bool:
        """Whether the job has its grids saved, as it was before we kept the host from drawing its own."""
        return not self._before.get("do_not_save_grid", self._p.do_not_save_grid)

    def end(self) -> None:
        """Give the job object back as it was: some hosts run one again."""
        while self._before:
            name, value = self._before.popitem()
            setattr(self._p, name, value)
        for name in self._said:
            self._p.extra_generation_params.pop(name, None)
        self._said = {}

    def failed(self, error: Exception) -> None:
        logger.error("the skips can't be compared", exc_info=error)
        self._job.say(not_compared((Data(f"{type(error).__name__}: {error}"),)))
        self._compared = []  # what is made from now on may not be what was asked for

    def _set(self, name: str, value: object) -> None:
        self._before[name] = getattr(self._p, name)
        setattr(self._p, name, value)


def forget(p: Processing) -> None:
    """Nothing of an earlier job's comparison is on `p`, which may be a copy of that."""
    setattr(p, COMPARISON_ATTRIBUTE, None)
    late = vars(p).get("init")
    if isinstance(late, _Late):
        late.leave(p)


class _Late:
    """In place of a job's `init`, which is called when every script has had its say in the job's prompts."""

    def __init__(self, p: Processing, comparison: Comparison) -> None:
        self._p = p
        self._init: Callable[..., object] = p.init
        self._before = vars(p).get("init")
        self._comparison = comparison

    def __call__(self, *_: object, **__: object) -> object:
        p = self._p
        if vars(p).get("init") is self:
            self.leave(p)
        try:
            self._comparison.lay_out()
        except Exception as error:
            self._comparison.end()
            self._comparison.failed(error)
        return self._init(p.all_prompts, p.all_seeds, p.all_subseeds)

    def leave(self, p: Processing) -> None:
        if self._before is None:
            del p.init
        else:
            p.init = self._before  # type: ignore[method-assign]
