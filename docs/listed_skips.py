"""Packs lists of what is said of models' clip skips into the table that comes with the extension.

    python -m docs.listed_skips "Civitai in July 2023" sd1_checkpoint_skips.tsv ["ANOTHER PLACE AND TIME" LIST ...]

A list has a line for each file: its SHA-256, the skips that its author's card names (separated by spaces), and the
counts of its sample images ("1:3 2:7"), separated by tabs; lines that begin with "#" are comments. The table is written
whole, so name every list, the oldest first: of two that know a file the later one counts.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clip_skip.models.inspect.evidence.listed import PREFIX, TABLE

_ABOUT = (
    "What lists of SD 1.x checkpoints said of their clip skip. files: 'card|samples' to the SHA-256 of all files of "
    f"which that is said, {PREFIX} digits each, one after the other. Written by docs/listed_skips.py."
)
_ROW = re.compile(r"([0-9a-f]{64})\t((?:\d+(?: \d+)*)?)\t((?:\d+:\d+(?: \d+:\d+)*)?)")


def pack(source: str, lines: Iterable[str]) -> dict[str, Any]:
    """One list as the table holds it. Raises ValueError where a line is not understood."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        row = _ROW.fullmatch(line.rstrip("\n"))
        if row is None:
            raise ValueError(f"not understood: {line!r}")
        files[f"{row[2]}|{row[3]}"].append(row[1][:PREFIX])
    return {"source": source, "files": {said: "".join(sorted(digits)) for said, digits in sorted(files.items())}}


def main(arguments: list[str]) -> None:
    lists = [
        pack(source, Path(path).read_text(encoding="utf8").splitlines())
        for source, path in zip(arguments[::2], arguments[1::2], strict=True)
    ]
    TABLE.write_text(json.dumps({"about": _ABOUT, "lists": lists}, indent=0) + "\n", encoding="utf8")


if __name__ == "__main__":
    main(sys.argv[1:])
