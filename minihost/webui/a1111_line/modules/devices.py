"""Where and in which precision the models run."""

from contextlib import nullcontext


def autocast(disable=False):
    return nullcontext()
