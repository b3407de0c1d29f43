"""What a text in a person's words says of clip skip: the numbers that a model's card names, and those it warns of."""

from .plain import plain_words
from .reading import has_negation, mentioned_skips
from .units import HIGHEST_SKIP

__all__ = ["HIGHEST_SKIP", "has_negation", "mentioned_skips", "plain_words"]
