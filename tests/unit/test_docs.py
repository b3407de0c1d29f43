"""The reference is what the program's tables say, the guide's commands are understood, its translations agree."""

from __future__ import annotations

import json
import re
import shlex
import socket
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from clip_skip.__main__ import main
from clip_skip.advice.names import AdviceId, Severity
from clip_skip.interfaces import commands
from clip_skip.interfaces.rest import routes
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.numbers import depth_of, number
from clip_skip.skip.parameters import PARAMETERS
from clip_skip.skip.prompt_tags import find, request
from clip_skip.skip.request import Request, parse
from clip_skip.text.log import logger
from docs import build
from minihost import __main__ as minihost
from tests.conftest import ROOT

DOCS = ROOT / "docs"
GUIDE = DOCS / "guide.md"
LANGUAGES = ("zh_CN", "ja_JP", "id_ID")
TRANSLATED = {language: DOCS / f"guide.{language}.md" for language in LANGUAGES}
PAGES = [ROOT / "README.md", GUIDE, *TRANSLATED.values(), DOCS / "api.md", DOCS / "compatibility.md"]

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"""(?:\]\(|\bsrc(?:set)?=")([^)"\s]+)[)"]""")
_CODE = re.compile(r"`([^`\n]+)`")
_ITALIC = re.compile(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])")
_NUMBER = re.compile("[-\u2212]?\\d+(?:\\.\\d+)?")  # also with a minus sign proper


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, text) of each block of code."""
    return _FENCED.findall(page.read_text("utf-8"))


def lines(page: Path, start: str) -> list[list[str]]:
    """The words of each command in the page's blocks of code that begins with `start`, without that."""
    found = []
    for _, text in blocks(page):
        text = text.replace("\\\n", " ")
        # Quoted JSON goes over several lines.
        for command in re.findall(rf"^{re.escape(start)}((?:[^'\n]|'[^']*')*)$", text, re.MULTILINE):
            found.append(shlex.split(command))
    return found


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text("utf-8"))


def headings(page: Path) -> list[tuple[int, str]]:
    return [(len(marks), text) for marks, text in re.findall(r"^(#+) (.+)$", prose(page), re.MULTILINE)]


def anchors(page: Path) -> list[str]:
    """Where links into the page lead, as GitHub names its headings."""
    return [re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in headings(page)]


def links(page: Path) -> list[str]:
    """All links in their order; one into the page itself by the number of its heading."""
    found = _LINK.findall(prose(page))
    return [f"#{anchors(page).index(link[1:])}" if link.startswith("#") else link for link in found]


def sections(page: Path) -> list[str]:
    return re.split(r"^#+ .+$", prose(page), flags=re.MULTILINE)[1:]


def tables(page: Path) -> list[list[list[str]]]:
    """The cells of each row of each table."""
    found = re.findall(r"(?:^\|.*\|\n)+", prose(page), re.MULTILINE)
    return [[re.split(r"(?<!\\)\|", row)[1:-1] for row in table.splitlines()] for table in found]


# --- the reference ---------------------------------------------------------------------------------------------------


def test_the_reference_is_what_the_generator_makes():
    assert build.API.read_text("utf-8") == build.page(), "run `python -m docs.build`"


def test_the_reference_has_everything():
    text = build.page()
    missing = [route.path for route in routes.ROUTES if f"`{route.method} {routes.PREFIX}{route.path}`" not in text]
    missing += [
        word for p in PARAMETERS.values() for word in (p.name, p.axis, p.infotext) if f"`{word or p.name}`" not in text
    ]
    assert not missing
    source = (ROOT / "clip_skip" / "advice" / "rules.py").read_text()
    said = re.findall(r"Advice\(\s*AdviceId\.(\w+),\s*Severity\.(\w+)", source)
    assert len(said) == source.count("Advice(") - source.count("class Advice(")
    assert Counter((AdviceId[id], Severity[severity]) for id, severity in said) == Counter(
        (advice.id, advice.severity) for advice in build.advices()
    )


def test_a_sketch_of_a_schema():
    flag = {"type": "boolean"}
    schema = {
        "type": "object",
        "properties": {"a": {"anyOf": [flag, {"type": "null"}]}, "b": {"type": "array", "items": {"enum": ["x", "y"]}}},
        "required": ["a"],
    }
    assert build.shape(schema) == '{\n  a: true or false or null\n  b?: ["x" or "y", ...]\n}'


# --- what is to be typed ---------------------------------------------------------------------------------------------


@pytest.fixture
def parsed(monkeypatch):
    """What the commands were asked to do; none of them does it."""
    options = []
    for command in (commands.drift, commands.inspect, commands.learn, commands.presets):
        monkeypatch.setattr(command, "run", lambda given: options.append(given) or 0)
    handlers, propagate, level = list(logger.handlers), logger.propagate, logger.level
    yield options
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


@pytest.mark.parametrize("page, least", [(GUIDE, 10), (ROOT / "README.md", 2)], ids=["guide", "README"])
def test_every_command_line_is_understood(parsed, page, least):
    found = lines(page, "python -m clip_skip ")
    for words in found:
        assert main(words) == 0
    assert len(parsed) == len(found) >= least


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_minihost_knows_its_arguments(monkeypatch, page):
    class Booted(Exception):
        pass

    def boot(*args, **kwargs):
        assert kwargs["argv"] == []  # what it does not know it hands on to the host
        raise Booted

    monkeypatch.setattr(minihost, "boot", boot)
    monkeypatch.setattr(minihost, "_is_free", lambda port: True)
    for words in lines(page, "minihost/run"):
        monkeypatch.setattr("sys.argv", ["minihost", *words])
        with pytest.raises(Booted):
            minihost.main()


def test_the_minihost_says_in_one_line_that_its_port_is_taken(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr("sys.argv", ["minihost", "--port", str(port)])
        with pytest.raises(SystemExit, match="1"):
            minihost.main()
    assert capsys.readouterr().err == f"Port {port} is taken. Choose another one: --port {port + 1}\n"


def curls():
    for words in lines(build.API, "curl "):
        url = next(word for word in words if word.startswith("http"))
        data = words[words.index("-d") + 1] if "-d" in words else None
        method = words[words.index("-X") + 1] if "-X" in words else "GET" if data is None else "POST"
        yield method, urlsplit(url), data and json.loads(data)


def test_the_examples_ask_for_what_is_there():
    ours = 0
    for method, url, body in curls():
        if not url.path.startswith(routes.PREFIX):
            continue
        ours += 1
        found = [
            route
            for route in routes.ROUTES
            if route.method == method
            and re.fullmatch(re.escape(routes.PREFIX + route.path).replace(r"\{key\}", "[^/]+"), url.path)
        ]
        assert found and (found[0].body is None) == (body is None)
        query = parse_qs(url.query, strict_parsing=True) if url.query else {}
        assert set(query) <= {name for name, *_ in found[0].query}
        assert not any(parse(True, text).refusals for text in query.get("options", ()))
    assert ours == 5


@pytest.mark.parametrize("page", [build.API, GUIDE, ROOT / "README.md"], ids=lambda page: page.name)
def test_the_examples_arguments_are_taken(page):
    bodies = [json.loads(text) for kind, text in blocks(page) if kind == "json"]
    bodies += [body for _, url, body in curls() if "sdapi" in url.path]
    asked = [body["alwayson_scripts"]["clip skip"]["args"] for body in bodies if "alwayson_scripts" in body]
    assert asked and not any(parse(*args).refusals for args in asked)
    for kind, text in blocks(page):
        if kind == "python":
            compile(text, page.name, "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_tag_is_taken(page):
    text = re.sub(r"<clipskip:\.\.\.>", "", page.read_text("utf-8"))
    for tag in find(text):
        asked, refused = request((tag,), Request(), ARCHITECTURES["sdxl"])
        assert asked.enabled and not refused, tag


# --- the guide -------------------------------------------------------------------------------------------------------


def test_the_guides_blocks_are_the_architectures():
    rows = [[cell.strip() for cell in row] for row in tables(GUIDE)[0]]
    skips = [float(head.removeprefix("at ")) for head in rows[0][3:7]]
    expected = [
        [
            *(a.name, e.name, str(e.blocks)),
            *(number(depth_of(skip, e.trained_depth)) for skip in skips),
            "yes" if e.normed else "no",
        ]
        for a in ARCHITECTURES.values()
        for e in a.encoders
    ]
    assert skips == [1, 1.5, 2, 4] and rows[2:] == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_what_the_english_guide_has(language):
    page = TRANSLATED[language]
    assert [level for level, _ in headings(page)] == [level for level, _ in headings(GUIDE)]
    assert blocks(page) == blocks(GUIDE)
    assert links(page) == links(GUIDE)
    for one, other in zip(sections(page), sections(GUIDE), strict=True):
        assert Counter(_CODE.findall(one)) == Counter(_CODE.findall(other)), other.strip()[:60]
    for one, other in zip(tables(page), tables(GUIDE), strict=True):
        assert [len(row) for row in one] == [len(row) for row in other]
        for cells, others in zip(one, other, strict=True):
            for cell, same in zip(cells, others, strict=True):
                assert Counter(_NUMBER.findall(cell)) == Counter(_NUMBER.findall(same)), (cell, same)
    # Nothing is left in English: no sentence is the same.
    said = {line for line in prose(GUIDE).splitlines() if len(line.split()) > 4 and not line.startswith(("|", "["))}
    assert not said & set(prose(page).splitlines())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_calls_things_as_the_page_does(language):
    words = json.loads((ROOT / "localizations" / f"{language}.json").read_text("utf-8"))
    text = prose(TRANSLATED[language])
    named = [word for word in dict.fromkeys(_ITALIC.findall(prose(GUIDE))) if word in words]
    assert len(named) >= 5 and [word for word in named if f"*{words[word]}*" not in text] == []
    quoted = [text for text in messages(GUIDE) if text in words]
    assert len(quoted) >= 5 and [word for word in quoted if words[word] not in text] == []


def messages(page: Path) -> list[str]:
    """What the table of messages quotes."""
    rows = next(table for table in tables(page) if len(table) > 12 and len(table[0]) == 3)
    return [text.removesuffix(" ...") for row in rows for text in re.findall(r'"([^"]+)"', row[0])]


def test_the_messages_are_the_programs():
    source = "".join(path.read_text() for path in sorted((ROOT / "clip_skip").rglob("*.py")))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # a string over several lines
    quoted = messages(GUIDE)
    assert len(quoted) > 9 and [text for text in quoted if text.strip(". ") not in source] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in _LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        if path.startswith("https://"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.is_file() and target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link
