"""``python -m minihost``: serve the page until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import socket
import threading
from pathlib import Path

from minihost.flavours import FLAVOURS
from minihost.host import REPOSITORY, boot
from minihost.weights import CHECKPOINTS


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not one that was left a minute ago
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="minihost", description=__doc__, epilog="Any other flag is the host's or the extension's."
    )
    parser.add_argument("--like", choices=FLAVOURS, default="a1111", help="which host's ways (default: %(default)s)")
    models = sorted({*CHECKPOINTS, *CHECKPOINTS.values()})
    parser.add_argument("--model", choices=models, default="sd1", help="what is loaded first (default: %(default)s)")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--data", type=Path, help="folder for checkpoints and settings (default: a temporary one)")
    parser.add_argument("--extension", type=Path, default=REPOSITORY, help="the extension (default: this repository)")
    args, rest = parser.parse_known_args()
    if not _is_free(args.port):
        parser.exit(1, f"Port {args.port} is taken. Choose another one: --port {args.port + 1}\n")
    with boot(args.like, args.model, args.extension, args.data, argv=rest, port=args.port) as host:
        print(f"Running on local URL: {host.url} (like {args.like}, {args.model})", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
