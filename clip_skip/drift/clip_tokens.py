"""A prompt as CLIP reads it: the tokenizer where one lies on this machine, and the prompt's chunks of 77 tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import torch

from ..conditioning.loaded_model import Tokenizer

LENGTH = 77  # with the start and the end

# Where the Hugging Face cache may have the vocabulary, which is the same in all of them.
_CACHED = (
    ("openai/clip-vit-large-patch14", ""),
    ("laion/CLIP-ViT-bigG-14-laion2B-39B-b160k", ""),
    ("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", ""),
    ("stable-diffusion-v1-5/stable-diffusion-v1-5", "tokenizer/"),
    ("runwayml/stable-diffusion-v1-5", "tokenizer/"),
    ("stabilityai/stable-diffusion-xl-base-1.0", "tokenizer/"),
)
_VOCABULARIES = (("vocab.json", "merges.txt"), ("tokenizer.json",))


class TokenizerError(ValueError):
    """There is no tokenizer, or none that can be used; the message says what to do."""


class FileTokenizer(Tokenizer, Protocol):
    """One of transformers'."""

    @property
    def bos_token_id(self) -> int: ...

    @property
    def eos_token_id(self) -> int: ...

    def __call__(self, text: str, /, *, add_special_tokens: bool, verbose: bool) -> Mapping[str, list[int]]: ...


class Chunks(NamedTuple):
    """A prompt in chunks. `ids` has the shape (chunks, 77), int64.

    `mask`, of the same shape, is 0 on the padding; None where the encoder reads that like any token. `words` has
    the prompt's own tokens as text, by their place among the chunks' tokens, counted through.
    """

    ids: torch.Tensor
    mask: torch.Tensor | None
    words: Mapping[int, str]


def find_tokenizer(given: Path | None, folders: Iterable[Path]) -> FileTokenizer:
    """A transformers CLIP tokenizer: from the folder `given`, else one of `folders`, else the Hugging Face cache.

    Nothing is downloaded. Raises TokenizerError.
    """
    if given is not None and not _has_vocabulary(given):
        raise TokenizerError(f"there is no CLIP tokenizer in {given}: vocab.json with merges.txt, or tokenizer.json")
    for folder in [given] if given is not None else [*folders, *_cached()]:
        if _has_vocabulary(folder):
            return _load(folder)
    raise TokenizerError(
        "there is no CLIP tokenizer on this machine, and nothing is downloaded. Name a folder that has vocab.json and "
        "merges.txt with --tokenizer: the folder tokenizer of any Stable Diffusion model in diffusers' layout, or, in "
        "Forge, backend/huggingface/stabilityai/stable-diffusion-xl-base-1.0/tokenizer"
    )


def chunks(tokenizer: FileTokenizer, prompt: str, architecture_id: str, encoder_id: str) -> Chunks:
    """`prompt` as it stands, in as many chunks as it needs, padded as this architecture's encoder was trained."""
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    prompt = prompt.encode("utf-8", "replace").decode()  # a terminal's stray bytes, as lone surrogates, are no text
    ids = tokenizer(prompt, add_special_tokens=False, verbose=False)["input_ids"]
    room = LENGTH - 2
    pieces = [ids[first : first + room] for first in range(0, len(ids), room)] or [[]]
    # OpenAI's CLIP pads with its end, OpenCLIP with 0; Stable Cascade has bigG with OpenAI's padding, which it masks.
    is_masked = architecture_id == "cascade"
    pad = end if encoder_id == "l" or is_masked else 0
    rows = [[start, *piece, end, *[pad] * (room - len(piece))] for piece in pieces]
    mask = [[1] * (len(piece) + 2) + [0] * (room - len(piece)) for piece in pieces]
    read = torch.tensor(rows)
    return Chunks(read, torch.tensor(mask) if is_masked else None, words([read], tokenizer))


def words(passes: Iterable[torch.Tensor], tokenizer: Tokenizer) -> dict[int, str]:
    """A prompt's own tokens as text, by their place among all tokens, counted through.

    `passes` are the ids that an encoder read, each of shape (texts, tokens), in CLIP's vocabulary: a text begins with
    the start, and ends at the end, whose id is the next; what follows is padding.
    """
    found: dict[int, str] = {}
    first = 0
    for row in (row for ids in passes for row in ids.tolist()):
        end = row[0] + 1
        length = row.index(end) if end in row else len(row)
        # 0 is A1111's stand-in for its embeddings, and else a "!" with which a longer word begins.
        found |= {first + place: tokenizer.decode([row[place]]).strip() for place in range(1, length) if row[place]}
        first += len(row)
    return found


def _cached() -> Iterable[Path]:
    from huggingface_hub import try_to_load_from_cache  # type: ignore[import-not-found]

    for repository, folder in _CACHED:
        for name in ("vocab.json", "tokenizer.json"):
            file = try_to_load_from_cache(repository, folder + name)
            if isinstance(file, str):
                yield Path(file).parent


def _has_vocabulary(folder: Path) -> bool:
    return any(all((folder / name).is_file() for name in names) for names in _VOCABULARIES)


def _load(folder: Path) -> FileTokenizer:
    # The fast one, since transformers 5 saves what only that one reads: tokenizer.json.
    from transformers import CLIPTokenizerFast

    try:
        tokenizer: FileTokenizer = CLIPTokenizerFast.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # whatever a broken file makes of the libraries
        raise TokenizerError(f"the tokenizer in {folder} can't be used: {str(error)[:200]}") from error
    if tokenizer.bos_token_id is None or tokenizer.eos_token_id is None:
        raise TokenizerError(f"the tokenizer in {folder} is not CLIP's: it has no token for the start or the end")
    return tokenizer
