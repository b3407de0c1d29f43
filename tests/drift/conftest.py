from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from clip_skip.text.log import logger
from minihost import weights

WORDS = ("a", "photo", "of", "cat", "blue", "sky", "bold")
PROMPT, IDS = "a photo of a cat", [101, 102, 103, 101, 104]


@pytest.fixture(scope="package", autouse=True)
def _two_heads_of_64():
    """The minihost's encoders are narrow; the real ones, which the loader knows, have heads 64 wide."""
    before = dict(weights.SPECS)
    weights.SPECS.update({id: replace(spec, width=128, heads=2) for id, spec in before.items()})
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    weights.SPECS.update(before)


@pytest.fixture(autouse=True)
def _the_log_stays_as_it_was():
    """The command line sets up the log of its process, which here is that of all tests."""
    handlers, propagate, level = list(logger.handlers), logger.propagate, logger.level
    yield
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory):
    """A folder with a CLIP tokenizer of a few words: "a" is 101, "photo" 102, ...; letters are 1 to 52."""
    folder = tmp_path_factory.mktemp("vocabulary")
    write_vocabulary(folder)
    return folder


def write_vocabulary(folder):
    folder.mkdir(parents=True, exist_ok=True)
    letters = sorted(set("".join(WORDS)))
    ids = {"!": 0}
    ids.update({letter: 1 + i for i, letter in enumerate(letters)})
    ids.update({f"{letter}</w>": 30 + i for i, letter in enumerate(letters)})
    ids["a</w>"] = 101
    merges, next_part = [], 200
    for index, word in enumerate(WORDS):
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            merges.append(" ".join(parts[-2:]))
            parts[-2:] = ["".join(parts[-2:])]
            if len(parts) > 1:
                ids[parts[-1]] = next_part
                next_part += 1
        ids[parts[0]] = 101 + index
    ids.update({"<|startoftext|>": weights.BOS, "<|endoftext|>": weights.EOS})
    (folder / "vocab.json").write_text(json.dumps(ids))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(dict.fromkeys(merges)) + "\n")


def ids_for(architecture, encoder, words=tuple(IDS)):
    """The prompt's ids as the architecture's own tokenizer pads them, and the attention mask where it has one."""
    is_cascade = architecture == "cascade"
    pad = weights.EOS if encoder == "l" or is_cascade else 0
    row = [weights.BOS, *words, weights.EOS]
    ids = torch.tensor([row + [pad] * (weights.LENGTH - len(row))])
    mask = (torch.arange(weights.LENGTH) < len(row)).long()[None] if is_cascade else None
    return ids, mask
