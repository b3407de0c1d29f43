"""What a text in a person's words says of clip skip: the numbers that a model's card names, and those it warns of."""

from .numbers import HIGHEST_SKIP
from .plain import plain_words
from .reading import mentioned_skips

__all__ = ["HIGHEST_SKIP", "mentioned_skips", "plain_words"]
