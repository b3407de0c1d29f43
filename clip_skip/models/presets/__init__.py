"""What the user keeps for each model, in one file that several WebUIs may share."""

from .preset import Mark, Preset, key_of
from .store import Store, StoreError

__all__ = ["Mark", "Preset", "Store", "StoreError", "key_of"]
