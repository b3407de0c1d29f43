"""SD.Next's second cache: what a pipeline's own encode_prompt gave, by the positive prompt **alone**."""

from __future__ import annotations

from typing import Any


class PromptCache:
    """Forgets everything when another model is in."""

    def __init__(self) -> None:
        self.cache: dict[str, Any] = {}
        self.id: int | None = None

    def get(self, pipe: Any, prompt: str) -> Any:
        if self.id != id(pipe):
            self.cache.clear()
            self.id = id(pipe)
        return self.cache.get(prompt)

    def set(self, prompt: str, encoded: Any) -> None:
        self.cache[prompt] = encoded


prompt_cache = PromptCache()


def init_hijack(pipe: Any) -> None:
    """Put the cache in front of a pipeline's encode_prompt."""
    pipe.orig_encode_prompt = pipe.encode_prompt

    def encode_prompt(prompt: str, *args: Any, **kwargs: Any) -> Any:
        found = prompt_cache.get(pipe, prompt)
        if found is None:
            found = pipe.orig_encode_prompt(prompt, *args, **kwargs)
            prompt_cache.set(prompt, found)
        return found

    pipe.encode_prompt = encode_prompt
