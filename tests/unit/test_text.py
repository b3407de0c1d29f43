"""Text from outside, made safe to show."""

import html
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.drift.chart import svg
from clip_skip.interfaces.commands.terminal import table as terminal_table
from clip_skip.interfaces.ui import markup
from clip_skip.text.phrase import Data
from clip_skip.text.plain import plain, quote

ANY = st.text(st.characters(categories=None) | st.sampled_from("<>&\"' \0\x1b\u202e\ud800\n{}%"), max_size=400)


@given(ANY, st.none() | st.integers(4, 400))
def test_what_is_plain_can_be_shown_anywhere(value, longest):
    shown = plain(value, longest)
    assert shown.isprintable()
    shown.encode("utf-8")  # no half of a surrogate pair
    assert longest is None or (len(shown) <= longest and "  " not in shown)
    assert longest is not None or [c for c in shown if c != " "] == [c for c in value if c.isprintable() and c != " "]


@pytest.mark.parametrize(
    "value, longest, shown",
    [
        ("a\tb  c\n", None, "a b  c "),
        ("a\tb  c\n", 10, "a b c"),
        ("\x1b[2Jred\u202e", None, " [2Jred "),
        ("\ud800", 10, ""),
        ("abcdefgh", 8, "abcdefgh"),
        ("abcdefghi", 8, "abcde..."),
        ("猫" * 9, 8, "猫猫猫猫猫..."),
    ],
)
def test_plain(value, longest, shown):
    assert plain(value, longest) == shown


def test_a_quotation_is_no_longer_than_eighty():
    assert quote("a" * 78) == f'"{"a" * 78}"' and quote("a" * 79) == f'"{"a" * 75}..."'


@given(ANY)
def test_every_interface_shows_unprintable_signs_alike(value):
    shown = " ".join(plain(value).split())
    assert " ".join(terminal_table(["x"], [[value]]).split()) == " ".join(["x", *shown.split()])
    assert " ".join(html.unescape(svg([], value).split("</title>")[0].split(">")[-1]).split()) == shown


class Read(HTMLParser):
    """The tags, attributes and texts of a page, as an independent parser finds them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.values, self.texts = set(), [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.values += [(name, value) for name, value in attrs]

    def handle_data(self, data):
        self.texts.append(data)


@given(ANY)
def test_no_text_becomes_markup(value):
    page = markup.table([value, "b"], [[(Data(value),), (value, value)]], [value]) + markup.line(value)
    read = Read(page)
    assert read.tags <= {"table", "thead", "tbody", "tr", "th", "td", "button", "span", "p"}
    assert {name for name, _ in read.values} <= {
        *("type", "data-clip-skip-pick", "data-head", "class", "hidden", "translate")
    }
    assert ("data-clip-skip-pick", value) in read.values
    assert "".join(read.texts).replace(" ", "").count(plain(value, 300).replace(" ", "")) >= 4


def test_what_is_no_markup_is_escaped():
    assert markup.joined(["<b>", markup.line("a")]) == '&lt;b&gt;<p class="clip-skip-words"><span>a</span></p>'
