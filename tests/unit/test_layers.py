"""Dependencies point one way: the core knows no host and no Gradio; only taps and what uses them know torch."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = [
    *("architectures", "skip", "request", "auto", "resolve", "infotext", "advice", "settings", "checkpoint", "data"),
    *("inspect.identify", "inspect.facts", "inspect.inspector", "presets.store", "presets.exchange", "library"),
    *("phrase", "reading", "slider", "loras", "advisor", "outcome", "drift_chart", "openapi"),
    *("commands.inspect", "commands.learn", "commands.presets", "commands.drift"),
]
CORE = [*PURE, "taps", "job", "log", "drift"]


def imported_by(module):
    code = f"import sys, clip_skip.{module}; print(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
    )


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_no_host_and_no_gradio(module):
    forbidden = {"modules", "gradio", "transformers"} | ({"torch"} if module in PURE else set())
    assert not imported_by(module) & forbidden


def test_install_says_nothing_where_all_is_there_and_never_raises(tmp_path):
    run = subprocess.run([sys.executable, ROOT / "install.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    bare = subprocess.run([sys.executable, "-S", ROOT / "install.py"], cwd=tmp_path, capture_output=True, text=True)
    assert bare.returncode == 0 and "torch was not found" in bare.stdout


def test_flags():
    import argparse
    import runpy

    parser = argparse.ArgumentParser()
    runpy.run_path(str(ROOT / "preload.py"))["preload"](parser)
    assert parser.parse_args([]) == argparse.Namespace(
        clip_skip_data_dir=None, clip_skip_disable=False, clip_skip_loglevel=None
    )
    args = parser.parse_args(["--clip-skip-data-dir", "/x", "--clip-skip-disable", "--clip-skip-loglevel", "DEBUG"])
    assert (args.clip_skip_data_dir, args.clip_skip_disable, args.clip_skip_loglevel) == ("/x", True, "DEBUG")
