"""The name under which SD.Next keeps its scripts module."""

import sys

from modules import scripts

sys.modules[__name__] = scripts
