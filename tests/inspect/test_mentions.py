"""What a card says of clip skip, sentence by sentence: as a person reads it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.models.mentions import HIGHEST_SKIP, mentioned_skips, plain_words, units

# Made up, each after a kind of sentence that real cards have.
SENTENCES = [
    # The plain forms.
    ("Clip skip 2", {2}),
    ("CLIP-skip: 1", {1}),
    ("clipskip=2", {2}),
    ("clipskip2", {2}),
    ("Clip skip - 2", {2}),
    ("Clip skip :- 2", {2}),
    ("Clip Skip -> 2", {2}),
    ("Clip skip: 1.5", {1.5}),
    ("Use clip skip two.", {2}),
    ("<td>Clip&nbsp;skip</td><td><b>2</b></td>", {2}),
    ("<p>Clip <span>  </span> skip</p><p>2</p>", {2}),
    ("ＣＬＩＰ ｓｋｉｐ：２", {2}),
    ("<h2>Clip skip</h2>\n<p>2 is what I use.</p>", {2}),
    # With words between.
    ("Clip skip should be set to 2", {2}),
    ("clip skip setting 1", {1}),
    ("Set clip skip as 2.", {2}),
    ("Clip skip :- I prefer 2", {2}),
    ("For the clip skip I use both 1 and 2", {1, 2}),
    ("Clip skip can be 1 or 2", {1, 2}),
    ("clip skip works best with 2", {2}),
    ("clip skip, always 2", {2}),
    ("Recommended clip skip value is 2!", {2}),
    # Lists.
    ("Clip skip: 1, 2", {1, 2}),
    ("Clip skip: 1,2", {1, 2}),
    ("Clip skip: 1, 2, 3", {1, 2, 3}),
    ("Clip skip 1-3", {1, 3}),
    ("Clip skip 1 until 4", {1, 4}),
    ("Clip skip between 1 and 2", {1, 2}),
    ("Clip skip 1 or 2 (2 is better)", {1, 2}),
    ("Clip skip 1 / 2", {1, 2}),
    ("Clip skip 1+2", {1, 2}),
    ("Clip skip 1 or even 2", {1, 2}),
    ("Clip skip 1 for people. Clip skip 2 for landscapes.", {1, 2}),
    # Other orders.
    ("Skip Clip 2", {2}),
    ("skip clip = 1", {1}),
    ("Clip: skip 2 or 1", {1, 2}),
    ("2 Clip Skip", {2}),
    ("I use 2 for clip skip", {2}),
    ("I made these with 2 clip skip.", {2}),
    ("Steps: 30, 2 clip skip, CFG 7", {2}),
    # Words that end like a "not", and ones that are none for the number.
    ("<p>You want to use clip skip 2 with this.</p>", {2}),
    ("Important: clip skip 2", {2}),
    ("For consistent results use clip skip 2", {2}),
    ("Latent upscale, clip skip 2", {2}),
    ("<p>Don't forget clip skip 2</p>", {2}),
    ("don’t forget to set clip skip to 2", {2}),
    ("<p>Highres fix is not recommended</p><p>CLIP SKIP: 1 / 2</p>", {1, 2}),
    ("It is just as (if not more) reliable as clip skip 2", {2}),
    ("If that doesn't work try clip skip 2", {2}),
    ("Do not use a VAE. Clip skip 2", {2}),
    ("Not only for portraits: clip skip 2", {2}),
    ("Clip skip 1 not 2", {1}),
    ("Clip skip 1 instead of 2", {1}),
    # Negations.
    ("Don't use clip skip 2", set()),
    ("Do NOT set the clip skip to 2!", set()),
    ("never use Clip skip 2", set()),
    ("Please avoid clip skip 2.", set()),
    ("It was not trained with clip skip 2", set()),
    ("Clip skip 2 is not recommended", set()),
    ("Clip skip 2 doesn't work here", set()),
    ("Instead of clip skip 2 take clip skip 1", {1}),
    ("No clip skip 2 needed", set()),
    ("I do not recommend 2 clip skip", set()),
    ("不要使用 clip skip 2", set()),
    ("clip skip 2 不推荐", set()),
    ("クリップスキップ2は非推奨", set()),
    ("Clip Skip 2 nicht verwenden", set()),
    ("nicht mit Clip Skip 2", set()),
    ("не использовать clip skip 2", set()),
    # Numbers that are no skip.
    ("Clip skip. CFG 7", set()),
    ("Clip skip recommended, use 7 CFG", set()),
    ("Clip skip. 2 girls", set()),
    ("1. VAE\n2. Clip skip\n3. Sampler", set()),
    ("Clip skip 2, 30 steps", {2}),
    ("Clip skip 2, 7 CFG", {2}),
    ("Clip skip 2 - 8 steps", {2}),
    ("Clip skip 2 steps 30", {2}),
    ("Clip skip 2 CFG scale 7", {2}),
    ("CFG 7 clip skip works fine", set()),
    ("CFG: 7 clip skip: 2", {2}),
    ("Steps 8 Clip Skip 2", {2}),
    ("clip skip 50%", set()),
    ("clip skip 2x upscale", set()),
    ("clip skip 2048", set()),
    ("Clip skip 0", set()),
    ("Clip skip 13", set()),
    ("the 2nd clip skip", set()),
    ("I clip my nails and skip 2 meals", set()),
    ("Eclipse skip 2", set()),
    ("clip skipping 2 frames", set()),
    # Other languages.
    ("CLIP スキップ：２", {2}),
    ("クリップスキップは2がおすすめ", {2}),
    ("クリップスキップを2に設定", {2}),
    ("CLIP skip 1または2", {1, 2}),
    ("Clip跳过层：2", {2}),
    ("CLIP 终止层数 2", {2}),
    ("clip skip 设为 2", {2}),
    ("clip skip 1、2", {1, 2}),
    ("推荐 clip skip 2", {2}),
    ("클립 스킵 2", {2}),
    ("clip skip은 2", {2}),
    ("Clip skip на 2", {2}),
    ("клип скип: 2", {2}),
    ("Clip skip en 2", {2}),
    ("Clip skip em 2", {2}),
    ("Clip Skip auf 2 setzen", {2}),
    ("clip skip à 2", {2}),
    ("clip skip 1 o 2", {1, 2}),
    ("clip skip 1 oder 2", {1, 2}),
]


@pytest.mark.parametrize("text, skips", SENTENCES)
def test_a_sentence_is_read_as_a_person_reads_it(text, skips):
    assert set(mentioned_skips(plain_words(text))) == skips


@given(st.text(max_size=300))
def test_a_number_that_nobody_said_is_never_read(text):
    plain = plain_words(text)
    assert all(1 <= skip <= HIGHEST_SKIP for skip in mentioned_skips(plain))
    digits = plain_words(text.replace("2", "1"))
    assert 2 not in set(mentioned_skips(digits)) or "two" in digits.lower()


@pytest.mark.parametrize(
    "text",
    [
        "clip skip " * 20_000,
        "clip skip" + " to" * 60_000,
        "not " * 40_000 + "clip skip 2",
        "<" * 200_000,
        "clip skip " + "1." * 90_000,
        "| clip skip | a |\n| 2 | b |\n" * 6_000,
        "~~clip skip" * 15_000,
        "clip skip, as if for x, " * 6_000 + "2",
        "pipe(" * 20_000 + "clip_skip=2",
    ],
)
def test_a_long_text_of_the_worst_kind_is_read(text):
    assert set(mentioned_skips(plain_words(text))) <= {1, 2}


@pytest.mark.parametrize("text", ["clip skip 2 ", "| clip skip | a |\n| 2 | b |\n", "clip skip 2" + " a" * 500])
def test_work_grows_no_faster_than_the_text(text, monkeypatch):
    seen = []
    read_unit = units._letter
    monkeypatch.setattr(units, "_letter", lambda match, text: seen.append(match.group()) or read_unit(match, text))

    def work(times):
        seen.clear()
        assert set(mentioned_skips(text * times)) == {2}
        return len(seen)

    assert work(100) <= 2.1 * work(50)
    assert work(10_000) <= 1_000 * work(10)


@pytest.mark.parametrize("around", ["_" * 1_000, "模型融合" * 300, "x " * 500])
def test_what_stands_far_away_changes_nothing(around):
    assert set(mentioned_skips(f"{around}\nClip skip: 2.\n{around}")) == {2}
    assert set(mentioned_skips(f"{around}\n不推荐clip skip 2。\n{around}")) == set()


def test_a_text_without_the_words_is_not_taken_apart(monkeypatch):
    monkeypatch.setattr(units, "_letter", None)
    assert list(mentioned_skips("CFG 7, 2 LoRAs, not for photos. " * 1_000)) == []


# Made up too, and labelled by hand with the skips that a person would say the card recommends or leaves to choose.
CARDS = json.loads(Path(__file__).with_name("cards.json").read_text(encoding="utf8"))


# Those kept apart were read once, when the rules were done: 215 of 217 common ones, and 157 of 159 that negate, or have
# numbers of something else. The hard ones are the same in rare words; they were developed on after they had first been
# read at 75 to 91 of 100, with a number that nobody said in 8 to 21 of them.
# The new ones, of sentences of every kind, were kept apart from all rules. None is read with a number that nobody said.
RIGHT = {"developed_on": 0.98, "kept_apart": 0.98, "hard_kept_apart": 0.98, "hard": 0.96, "new_kept_apart": 0.85}


@pytest.mark.parametrize("part", CARDS)
def test_cards_are_read_as_a_person_reads_them(part):
    read = [(text, set(mentioned_skips(plain_words(text))), set(skips)) for text, skips in CARDS[part]]
    assert not [text for text, named, skips in read if named - skips]
    missed = [text for text, named, skips in read if named != skips]
    assert len(missed) <= (1 - RIGHT[part]) * len(read), missed
