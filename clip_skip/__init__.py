"""CLIP Skip: gives every text encoder of every architecture its own, possibly fractional, CLIP skip.

Everything outside `hosts` and `interfaces/ui` is free of any WebUI and of Gradio and can be used alone.
"""

__version__ = "0.2.0"
# Under which the WebUI knows the script, and its users the extension.
TITLE = "CLIP Skip"
