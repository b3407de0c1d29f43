"""The prompt's ids against transformers' own padding, and where a tokenizer is looked for."""

import json

import pytest
import torch
from transformers import CLIPTokenizer

from clip_skip.drift import clip_tokens
from clip_skip.drift.clip_tokens import TokenizerError, chunks, find_tokenizer
from minihost.weights import BOS, EOS

from .conftest import IDS, PROMPT, ids_for, write_vocabulary
from .reference import CASES


@pytest.mark.parametrize("architecture, encoder", CASES)
@pytest.mark.parametrize("prompt", ["", PROMPT, "bold blue sky"])
def test_padded_as_the_encoder_was_trained(vocabulary, architecture, encoder, prompt):
    """diffusers' folders name "!", id 0, as padding for OpenCLIP's encoders; Stable Cascade's the end, masked."""
    open_clip = encoder != "l" and architecture != "cascade"
    theirs = CLIPTokenizer.from_pretrained(vocabulary, pad_token="!" if open_clip else "<|endoftext|>")
    expected = theirs(prompt, padding="max_length", max_length=77, return_tensors="pt")
    got = chunks(find_tokenizer(vocabulary, []), prompt, architecture, encoder)
    assert got.ids.tolist() == expected["input_ids"].tolist()
    if architecture == "cascade":
        assert (
            got.mask.tolist() == ids_for(architecture, encoder, got.ids[0, 1 : 1 + len(got.words)].tolist())[1].tolist()
        )
    else:
        assert got.mask is None


def test_the_words_by_place(vocabulary):
    got = chunks(find_tokenizer(vocabulary, []), PROMPT, "sdxl", "g")
    assert got.words == {1: "a", 2: "photo", 3: "of", 4: "a", 5: "cat"}


def test_a_long_prompt_takes_several_chunks(vocabulary):
    got = chunks(find_tokenizer(vocabulary, []), f"{PROMPT} " * 31, "sdxl", "g")  # 155 words: 75, 75 and 5
    words = IDS * 31
    assert got.ids.tolist() == [
        [BOS, *words[:75], EOS],
        [BOS, *words[75:150], EOS],
        [BOS, *words[150:], EOS, *[0] * 70],
    ]
    assert len(got.words) == 155 and got.words[77 + 1] == "a" and got.words[77 + 5] == "cat" and 76 not in got.words


class Letters:
    def decode(self, ids):
        return "".join(chr(id) for id in ids) + " "


def test_the_words_of_what_an_encoder_read():
    """Of a prompt in several texts and passes; 0 is padding, and A1111's stand-in for an embedding."""
    a, b, c = map(ord, "abc")
    first = torch.tensor([[BOS, a, 0, b, EOS, 0, 0], [BOS, EOS, EOS, EOS, EOS, EOS, EOS]])
    full = torch.tensor([[BOS, a, b, c, a, b, EOS]])
    assert clip_tokens.words([first, full], Letters()) == {
        **{1: "a", 3: "b"},
        **{15: "a", 16: "b", 17: "c", 18: "a", 19: "b"},
    }
    assert clip_tokens.words([], Letters()) == {}


def test_the_first_folder_that_has_one(tmp_path, vocabulary, monkeypatch):
    monkeypatch.setattr(clip_tokens, "_cached", lambda: [vocabulary])
    other = tmp_path / "tokenizer_2"
    write_vocabulary(other)
    ids = json.loads((other / "vocab.json").read_text())
    ids["cat</w>"], ids["sky</w>"] = ids["sky</w>"], ids["cat</w>"]
    (other / "vocab.json").write_text(json.dumps(ids))

    def id_of_cat(*arguments):
        return find_tokenizer(*arguments)("cat", add_special_tokens=False)["input_ids"]

    assert id_of_cat(None, [tmp_path / "tokenizer", other]) == [106]
    assert id_of_cat(None, [tmp_path / "tokenizer"]) == [104]
    assert id_of_cat(vocabulary, [other]) == [104]


def test_what_transformers_5_saves(tmp_path, vocabulary):
    find_tokenizer(vocabulary, []).save_pretrained(tmp_path)
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).unlink(missing_ok=True)
    got = chunks(find_tokenizer(tmp_path, []), PROMPT, "sd1", "l")
    assert got.ids.tolist() == ids_for("sd1", "l")[0].tolist()


def test_none_and_broken_ones(tmp_path, vocabulary, monkeypatch):
    monkeypatch.setattr(clip_tokens, "_cached", lambda: [])
    with pytest.raises(TokenizerError, match=r"nothing is downloaded.*--tokenizer"):
        find_tokenizer(None, [tmp_path])
    with pytest.raises(TokenizerError, match="there is no CLIP tokenizer in"):
        find_tokenizer(tmp_path, [vocabulary])
    (tmp_path / "vocab.json").write_text("[")
    (tmp_path / "merges.txt").write_text("")
    with pytest.raises(TokenizerError, match="can't be used"):
        find_tokenizer(tmp_path, [])
