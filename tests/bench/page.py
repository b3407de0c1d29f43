"""What the extension costs a page: `python -m tests.bench.page [--like FLAVOUR] [--rounds N]`, in Chromium.

The time from a change of the host's own slider to the new advice, in the page's own clock; and how long the page takes
to load with the extension and without, in turns, as a ratio.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Page, TimeoutError, sync_playwright

ROOT = Path(__file__).resolve().parents[2]

# Moves the slider, and gives the milliseconds until what is said of it is there, or gone.
CHANGE = """([number, said]) => new Promise((done) => {
    const advice = document.querySelector("#clip_skip_txt2img_advice_off");
    const input = document.querySelector(".clip-skip-slider input[type=number]");
    const start = performance.now();
    const observer = new MutationObserver(() => {
        if ((advice.querySelector(".clip-skip-item") !== null) !== said) return;
        observer.disconnect();
        done(performance.now() - start);
    });
    observer.observe(advice, {childList: true, subtree: true});
    input.value = number;
    input.dispatchEvent(new Event("input", {bubbles: true}));
})"""
# The first prompt on the page, by the page's own clock.
LOADED = """() => new Promise((done) => {
    const isThere = () => document.querySelector("#txt2img_prompt textarea") !== null;
    const look = () => isThere() ? done(performance.now()) : setTimeout(look, 5);
    look();
})"""


@contextmanager
def served(flavour: str, folder: Path, extension: Path) -> Iterator[str]:
    """The address of a minihost."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "minihost", "--like", flavour, "--model", "sd1", "--port", str(port), "--data", str(folder)]
    process = subprocess.Popen(
        [sys.executable, *command, "--extension", str(extension)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder / "gradio")},
    )
    try:
        assert process.stdout is not None
        if not any(f"(like {flavour}" in line for line in process.stdout):
            raise SystemExit("the minihost did not start")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def changes(page: Page, address: str, rounds: int) -> list[float]:
    page.goto(address)
    with suppress(TimeoutError):  # Gradio 4 may hold a stream of events open for good
        page.wait_for_load_state("networkidle", timeout=5000)
    page.evaluate(CHANGE, [2, True])  # reads the model's file
    return [page.evaluate(CHANGE, [1 + index % 2, bool(index % 2)]) for index in range(2 * rounds)]


def load(page: Page, address: str) -> float:
    page.goto(address)
    return page.evaluate(LOADED)


def report(flavour: str, rounds: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        served(flavour, Path(folder, "with"), ROOT) as ours,
        served(flavour, Path(folder, "without"), Path(folder)) as bare,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell") or "/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page()
        taken = changes(page, ours, rounds)
        pairs = []
        for index in range(rounds + 1):  # the first fills the caches
            order = (ours, bare) if index % 2 else (bare, ours)
            times = {address: load(page, address) for address in order}
            pairs.append((times[ours], times[bare]))
        browser.close()
    mine, plain = (statistics.median(column) for column in zip(*pairs[1:], strict=True))
    ratio = statistics.median(a / b for a, b in pairs[1:])
    print(
        f"page of {flavour}: {statistics.median(taken):.0f} ms from a change of the host's slider to the advice,"
        f" at most {max(taken):.0f} (goal < 200); loads in {mine:.0f} ms,"
        f" {ratio:.2f} x without the extension ({plain:.0f} ms)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--like", choices=("a1111", "forge", "sdnext"), default="a1111")
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    report(arguments.like, arguments.rounds)
