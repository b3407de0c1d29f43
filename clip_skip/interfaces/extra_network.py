"""The prompt tag `<clipskip:...>` as an extra network of the WebUI, as `<lora:...>` is.

The WebUI finds the tag, whatever the prompt came from, and takes it out of what is encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..skip.prompt_tags import NAME, Tags, items_of
from ..text.log import logger


def register(extra_networks: Any, tagged: Callable[[Any, Tags], None]) -> None:
    """Have the WebUI call `tagged(p, tags)` before it encodes prompts of the job `p`, with no tags where there is none.

    `extra_networks` is the WebUI's module of that name.
    """

    class ClipSkip(extra_networks.ExtraNetwork):  # type: ignore[misc]
        def activate(self, p: Any, params_list: Any, *args: Any, **kwargs: Any) -> None:
            tagged(p, items_of(params_list))

        def deactivate(self, p: Any, *args: Any, **kwargs: Any) -> None:
            pass

    try:
        extra_networks.register_extra_network(ClipSkip(NAME))
    except Exception:
        logger.exception("the prompt tag <%s:...> can't be used", NAME)


def unregister(extra_networks: Any) -> None:
    getattr(extra_networks, "extra_network_registry", {}).pop(NAME, None)
