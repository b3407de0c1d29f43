"""HTML for the page. What comes from files is hostile: everything that is shown passes through `text`."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from ...text.phrase import Data, Phrase

_LONGEST = 300


def plain(value: str, longest: int = _LONGEST) -> str:
    """`value` on one line and shortened, without signs that hide, turn the direction or are no Unicode."""
    words = " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * longest]).split())
    return words if len(words) <= longest else f"{words[: longest - 3]}..."


def text(value: str) -> str:
    return html.escape(plain(value))


def pieces(phrase: Phrase) -> str:
    """Each piece in an element of its own, where the page's translation finds it; data are marked as no words."""
    return "".join(
        f"<span{' translate=no' if isinstance(piece, Data) else ''}>{_edges(piece, text(piece))}</span>"
        for piece in phrase
    )


def line(*phrase: str) -> str:
    return f'<p class="clip-skip-words">{pieces(phrase)}</p>'


def _edges(piece: str, shown: str) -> str:
    """`shown` with the spaces around `piece`, which part it from its neighbours."""
    before, after = (" " if edge.isspace() else "" for edge in (piece[:1], piece[-1:]))
    return f"{before}{shown}{after}" if shown else before


def table(head: Sequence[str], rows: Iterable[Sequence[Phrase]], picks: Sequence[str] = ()) -> str:
    """The rows under their heads. With `picks`, the first cell of each row is a button that stands for its pick.

    A narrow page has the cells of a row one below the other, each with its head before it, which a wide one hides.
    """
    lines = []
    for number, row in enumerate(rows):
        first, *rest = map(pieces, row)
        if picks:
            first = f'<button type="button" data-clip-skip-pick="{html.escape(picks[number])}">{first}</button>'
        cells = [f'<td data-head="{text(head[0])}">{first}</td>']
        cells += [_cell(name, cell) for name, cell in zip(head[1:], rest, strict=True)]
        lines.append("".join(cells))
    heads = "".join(f"<th>{text(name)}</th>" for name in head)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cell(head: str, cell: str) -> str:
    before = f'<span class="clip-skip-head" hidden>{pieces((head, Data(": ")))}</span>' if cell else ""
    return f'<td data-head="{text(head)}">{before}{cell}</td>'
