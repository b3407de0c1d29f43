"""What Neo's parts tell each other."""

from __future__ import annotations


class dynamic_args:
    """The last encode's notes for the infotext of its job."""

    last_extra_generation_params: dict[str, str] = {}
