"""The extension's own settings: one table, read from the host's options at use time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..advice.names import Severity
from ..skip.architectures import ARCHITECTURES, Architecture, Encoder
from ..skip.auto import NAI_SKIP, Defaults
from ..skip.parameters import MODES

SECTION = ("clip_skip", "CLIP Skip")
_PREFIX = "clip_skip_ext_"


@dataclass(frozen=True)
class Setting:
    """`kind` is "checkbox", "radio" or "slider"; `arguments` go to that control.

    `words` are what the page calls the choices, where that is not the choice itself.
    """

    name: str
    default: object
    label: str
    kind: str
    help: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return _PREFIX + self.name

    def value(self, opts: object) -> Any:
        """The current value; the default where the host does not know the option (yet) or holds something else."""
        value = getattr(opts, self.key, self.default)
        if self.kind == "radio" and value not in self.arguments["choices"]:
            return self.default
        if self.kind == "slider" and (isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0):
            return self.default
        return bool(value) if self.kind == "checkbox" else value


ENABLED = Setting("enabled", True, "Use CLIP Skip", "checkbox", "off: every image is made as without the extension")
START_ENABLED = Setting(
    "start_enabled", False, "Start with the CLIP Skip panel switched on", "checkbox", "needs Reload UI"
)
DEFAULT_MODE = Setting(
    "default_mode",
    "auto",
    "Mode that the CLIP Skip panel starts with",
    "radio",
    "needs Reload UI",
    {"choices": list(MODES)},
    tuple(mode.capitalize() for mode in MODES),
)
SLIDER_MAXIMUM = Setting(
    "slider_maximum",
    12,
    "Highest value of the CLIP Skip sliders",
    "slider",
    "never more than the model allows",
    {"minimum": 2, "maximum": 32, "step": 1},
)
SLIDER_STEP = Setting(
    "slider_step", 0.1, "Step of the CLIP Skip sliders", "slider", "", {"minimum": 0.05, "maximum": 1, "step": 0.05}
)
INFOTEXT = Setting("infotext", True, "Write CLIP Skip values into the generation parameters", "checkbox")


def _least_severity(place: str, default: Severity, label: str, help: str = "") -> Setting:
    words = ("Only errors", "Also warnings", "Also cautions", "Also hints", "Everything")
    return Setting(
        f"advice_{place}",
        default.value,
        label,
        "radio",
        help,
        {"choices": [severity.value for severity in Severity]},
        words,
    )


# Where advice is shown, and the least severity that is shown there.
ADVICE = {
    "panel": _least_severity(
        "panel",
        Severity.INFO,
        "CLIP Skip's advice in its panel",
        "each choice adds to those before it; what you silenced for a model is listed in the tab CLIP Skip",
    ),
    "badge": _least_severity("badge", Severity.INFO, "CLIP Skip's advice beside the WebUI's own slider"),
    "result": _least_severity("result", Severity.CAUTION, "CLIP Skip's advice with the result"),
    "log": _least_severity("log", Severity.CAUTION, "CLIP Skip's advice in the log"),
}


def shown_at(place: str, severity: Severity, opts: object) -> bool:
    """Whether advice of this severity is shown at `place`, a key of `ADVICE`."""
    return severity.rank <= Severity(ADVICE[place].value(opts)).rank


def _auto(architecture: Architecture, encoder: Encoder) -> Setting:
    name = f"auto_{architecture.id}_{encoder.id}".replace("-", "_")
    # The WebUI's own search shows a setting without those beside it.
    label = f"CLIP Skip: {architecture.name}'s {encoder.name} in Auto, if nothing else is known"
    limits = {"minimum": 1, "maximum": encoder.trained_depth, "step": 0.05}
    return Setting(name, 1, label, "slider", "", limits)


AUTO = {(a.id, e.id): _auto(a, e) for a in ARCHITECTURES.values() for e in a.encoders}
AUTO_NAI = Setting(
    "auto_nai_l",
    NAI_SKIP,
    "CLIP Skip: CLIP-L of NovelAI's descendants in Auto, if nothing else is known",
    "slider",
    "",
    {"minimum": 1, "maximum": 12, "step": 0.05},
)

SETTINGS = (
    ENABLED,
    START_ENABLED,
    DEFAULT_MODE,
    SLIDER_MAXIMUM,
    SLIDER_STEP,
    INFOTEXT,
    *ADVICE.values(),
    *AUTO.values(),
    AUTO_NAI,
)


def defaults(opts: object) -> Defaults:
    """What the settings say to Auto."""
    return Defaults({key: setting.value(opts) for key, setting in AUTO.items()}, AUTO_NAI.value(opts))
