"""The prompt tag `<clipskip:...>` as an extra network of the WebUI, as `<lora:...>` is.

The WebUI finds the tag, whatever the prompt came from, and takes it out of what is encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..hosts.protocols import ExtraNetworkParams, ExtraNetworks, Processing
from ..skip.prompt_tags import NAME, Tags, items_of
from ..text.log import logger


def register(extra_networks: ExtraNetworks | None, tagged: Callable[[Processing, Tags], None]) -> None:
    """Have the WebUI call `tagged(p, tags)` before it encodes prompts of the job `p`, with no tags where there is none.

    `extra_networks` is the WebUI's module of that name, None if it has none, and thus no tags.
    """
    if extra_networks is None:
        return

    base: Any = extra_networks.ExtraNetwork

    class ClipSkip(base):  # type: ignore[misc]
        def activate(self, p: Processing, params_list: Sequence[ExtraNetworkParams], *_: object, **__: object) -> None:
            tagged(p, items_of(params_list))

        def deactivate(self, p: Processing, *_: object, **__: object) -> None:
            pass

    try:
        extra_networks.register_extra_network(ClipSkip(NAME))
    except Exception:
        logger.exception("the prompt tag <%s:...> can't be used", NAME)


def unregister(extra_networks: ExtraNetworks | None) -> None:
    getattr(extra_networks, "extra_network_registry", {}).pop(NAME, None)
