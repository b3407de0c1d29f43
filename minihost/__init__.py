"""The smallest WebUI that loads this extension as the real ones do: a demo and a test bed, without a download.

``python -m minihost --like a1111 --model sd1`` serves the page; :func:`boot` starts one inside this process.
"""

from minihost.host import MiniHost, boot

__all__ = ["MiniHost", "boot"]
