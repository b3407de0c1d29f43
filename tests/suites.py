"""What tests/run does: passes suite after suite, also after one that failed, and sums them up at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
HOSTS = ("a1111", "forge", "sdnext")
"""The files in tests/pins with the library versions of a WebUI."""
PINNED = re.compile(r"^\s*(?:from|import) (?:gradio|fastapi|minihost|pydantic|transformers)\b", re.MULTILINE)
"""What a test file imports whose tests need what the pins pin."""


@dataclass(frozen=True)
class Suite:
    """One command: its name, the file in tests/pins with which it runs, and its words, of which a program is theirs."""

    name: str
    pins: str
    command: tuple[str, ...]

    def __call__(self) -> tuple[bool, str]:
        """Whether it passed, and the last line that it printed."""
        python = ROOT / ".venv" / self.pins / "bin"
        first, *rest = self.command
        program = str(python / first) if (python / first).exists() else first
        # One thread each: the tests themselves run side by side.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        # A host that boots imports the extension anew: compiled each time, that took two fifths of the tests' time.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        last = ""
        try:
            with subprocess.Popen(
                [program, *rest], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as process:
                for line in process.stdout or ():
                    print(line, end="", flush=True)
                    last = line.strip(" =\n") or last
        except OSError as error:
            return False, str(error)
        return process.returncode == 0, last


def suites() -> Iterator[Suite]:
    """All of them, in their order."""
    for pins in ("lint", *HOSTS, "rest"):
        yield Suite("set up", pins, ("tests/venv", pins))
    yield Suite("ruff check", "lint", ("ruff", "check", "."))
    yield Suite("ruff format", "lint", ("ruff", "format", "--check", "."))
    yield Suite("mypy", "lint", ("tests/types",))
    yield Suite("set up", "javascript", ("npm", "--prefix", "tests/javascript", "ci", "--no-audit", "--no-fund"))
    yield Suite("javascript", "", ("npm", "--prefix", "tests/javascript", "test"))

    apart = [*files("unit"), *files("drift")]
    pinned = [file for file in apart if PINNED.search((ROOT / file).read_text(encoding="utf-8"))]
    for pins in HOSTS:
        yield pytest("unit", pins, *pinned, "tests/minihost")
        yield pytest("host", pins, "tests/host")
        yield pytest("browser", pins, "tests/browser")
    rest = [file for file in apart if file not in pinned]
    yield pytest("without a host", HOSTS[-1], *rest, "tests/inspect", "tests/presets")
    yield Suite("rest", "rest", ("python", "-m", "pytest", "-q", "tests/rest"))
    # That it runs: what it measures is told by a run of many rounds on a quiet machine.
    yield Suite("bench", HOSTS[-1], ("python", "-m", "tests.bench", "--rounds", "2"))


def files(folder: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (TESTS / folder).glob("test_*.py"))


def pytest(name: str, pins: str, *paths: str) -> Suite:
    """Side by side, on all cores."""
    return Suite(name, pins, ("python", "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal", *paths))


def main() -> int:
    told, failed, start = [], 0, time.monotonic()
    for suite in suites():
        title = f"{suite.name}, {suite.pins}" if suite.pins else suite.name
        print(f"\n== {title}", flush=True)
        begin = time.monotonic()
        passed, last = suite()
        failed += not passed
        told.append(f"{'passed' if passed else 'FAILED'}  {clock(begin)}  {title}: {last}")
        print(f"== {title}: {'passed' if passed else 'FAILED'} in {clock(begin).strip()}", flush=True)
    told.append(f"{f'{failed} of {len(told)} failed' if failed else 'All passed'}, in {clock(start).strip()}")
    print("\n== Summary", *told, sep="\n")
    return min(failed, 1)


def clock(start: float) -> str:
    """Minutes and seconds since then."""
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    return f"{minutes:2}:{seconds:02}"


if __name__ == "__main__":
    sys.exit(main())
