"""Known by hash: what a public list said of a checkpoint's card and sample images, as statements that Auto can use."""

import json

import pytest

from clip_skip.models.inspect.evidence import listed as module
from clip_skip.models.inspect.evidence.listed import TABLE, listed, listed_statements
from clip_skip.models.inspect.verdict.recommend import recommend
from clip_skip.skip.architectures import ARCHITECTURES
from docs.listed_skips import pack

SAMPLES_1 = "0013d5da5e2e993a0eca4c9b916e23e4515ce3db42b221bef1a989624ef770e2"  # no card, 4 images with 1
CARD_2 = "007c56bc7e614585863528ed52147fdc1af77df998306899615966eed21a12c8"  # card 2, 3 images with 2
MIXED = "002d8bbd368a93a170501eed18af19a2126dd0a6d2b4bf6515968abd1cae32c9"  # no card, 1 image with 1, 2 with 2


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Lists of our own in the table's place."""

    def write(*lists):
        path = tmp_path / "lists.json"
        path.write_text(json.dumps({"lists": [pack(source, lines) for source, lines in lists]}))
        monkeypatch.setattr(module, "TABLE", path)
        module._table.cache_clear()

    yield write
    module._table.cache_clear()


def said(sha256):
    return [(statement.id, statement.text, statement.skip) for statement in listed_statements(sha256)]


def recommended(sha256, architecture="sd1"):
    return recommend(ARCHITECTURES[architecture], list(listed_statements(sha256)), "unknown", [])


@pytest.mark.parametrize(
    "sha256, expected",
    [
        (
            SAMPLES_1,
            [
                (
                    "listed-samples",
                    "4 of its 4 sample images were made with clip skip 1, on Civitai in July 2023.",
                    {"l": 1},
                )
            ],
        ),
        (
            CARD_2.upper(),
            [
                ("listed-card", "On Civitai in July 2023 its author recommended clip skip 2.", {"l": 2}),
                (
                    "listed-samples",
                    "3 of its 3 sample images were made with clip skip 2, on Civitai in July 2023.",
                    {"l": 2},
                ),
            ],
        ),
        (
            MIXED,
            [
                (
                    "listed-samples",
                    "2 of its 3 sample images were made with clip skip 2, 1 with 1, on Civitai in July 2023.",
                    {"l": 2},
                )
            ],
        ),
    ],
)
def test_what_the_list_that_comes_with_us_says(sha256, expected):
    assert said(sha256) == expected


@pytest.mark.parametrize("sha256", ["", "0" * 64, CARD_2[:10], CARD_2[:63], CARD_2 + "0", "x" * 64])
def test_another_hash_is_in_no_list(sha256):
    assert listed(sha256) is None and said(sha256) == []


@pytest.mark.parametrize(
    "card, samples, skips, auto",
    [
        ("2", "", [{"l": 2}], 2),
        ("1", "2:10", [{"l": 1}, {"l": 2}], 1),  # words before pictures
        ("1 2", "", [{}], None),
        ("1 2", "2:10", [{}, {"l": 2}], 2),  # pictures choose among what the author leaves to choose
        ("2 3", "1:10", [{}, {}], None),
        ("", "1:1 2:1", [{}], None),
        ("", "2:2", [{}], None),  # too few
        ("", "1:2 2:3", [{"l": 2}], 2),
        ("", "1:5 2:6", [{}], None),
        ("3", "1:1", [{"l": 3}, {}], 3),
    ],
)
def test_card_and_samples(table, card, samples, skips, auto):
    table(("Nowhere in May 2020", [f"{'ab' * 32}\t{card}\t{samples}"]))
    assert [statement.skip for statement in listed_statements("ab" * 32)] == skips
    found = recommended("ab" * 32)
    assert (found and found.skip["l"]) == auto
    assert recommended("ab" * 32, "sdxl") is None


def test_the_later_list_counts_and_says_its_own_place_and_time(table):
    table(
        ("Nowhere in May 2020", [f"{'ab' * 32}\t2\t", f"{'cd' * 32}\t2\t"]),
        ("Elsewhere in June 2021", ["# a comment", "", f"{'ab' * 32}\t1\t"]),
    )
    assert said("ab" * 32)[0][1] == "On Elsewhere in June 2021 its author recommended clip skip 1."
    assert said("cd" * 32)[0][1] == "On Nowhere in May 2020 its author recommended clip skip 2."


@pytest.mark.parametrize("line", ["ab\t2\t", f"{'ab' * 32}\ttwo\t", f"{'ab' * 32}\t2", f"{'ab' * 32}\t\t1:x"])
def test_a_list_that_is_not_understood_is_not_packed(line):
    with pytest.raises(ValueError, match="not understood"):
        pack("Nowhere", [line])


def test_every_listed_file_has_a_statement_and_most_a_recommendation():
    table = json.loads(TABLE.read_text(encoding="utf8"))
    assert TABLE.stat().st_size < 150_000
    module._table.cache_clear()
    files = [digits + "0" * 48 for digits in module._table()]
    assert len(files) == 5595 and len(table["lists"]) == 1
    assert all(said(sha256) for sha256 in files)
    assert sum(recommended(sha256) is not None for sha256 in files) == 4990
