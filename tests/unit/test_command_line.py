"""The command line in a real folder and a real terminal: what lies there, who reads it, and how wide it is."""

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from clip_skip.__main__ import main
from clip_skip.advice.rules import SILENCEABLE
from clip_skip.interfaces.commands import inspect as command
from clip_skip.interfaces.commands import terminal
from clip_skip.interfaces.ui import presets_view
from clip_skip.models.inspect.evidence.evidence import SkipStatement
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.inspect.inspector import file_sha256
from clip_skip.models.presets import Store
from clip_skip.paths import data_folder
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.text import log
from minihost import weights

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments, data, **kwargs):
    line = [sys.executable, "-m", "clip_skip", "--data-dir", str(data), *map(str, arguments)]
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)


def ask(*arguments, data, **kwargs):
    process = start(*arguments, data=data, **kwargs)
    out, err = process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(log, "set_up", lambda level: None)  # the log is the other tests', too

    def run(*arguments):
        code = main(["--data-dir", str(tmp_path / "data"), *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    weights.write_file(folder / "xl.safetensors", weights.ARCHITECTURES["sdxl"])
    return folder


def test_a_link_that_leads_to_itself_and_a_name_that_is_no_utf8(run, models):
    (models / "loop.safetensors").symlink_to("loop.safetensors")
    (models / "loop").symlink_to("loop")
    name = os.fsdecode(b"n\xffon.safetensors")
    (models / name).write_bytes((models / "xl.safetensors").read_bytes())
    for _ in range(2):  # the second answers from memory
        code, out, err = run("inspect", models, "--json")
        facts = {Path(each["file"]).name: each for each in json.loads(out)}
        assert code == 1 and set(facts) == {"xl.safetensors", "loop.safetensors", name}
        assert facts[name]["architecture"] == "sdxl" and "symbolic links" in facts["loop.safetensors"]["error"]
    code, out, err = run("inspect", models)
    assert "loop.safetensors: Too many levels of symbolic links\n" in err and "xl.safetensors" in out


def test_a_folder_without_models_says_so(run, models):
    (models / "deep").mkdir()
    (models / "xl.safetensors").rename(models / "deep" / "xl.safetensors")
    said = f"{models}: there are no models in this folder; --recursive looks into its folders too\n"
    assert run("inspect", models) == run("inspect", "--why", models) == (0, "", said)
    assert run("inspect", models, "--json") == (0, "[]\n", said)
    assert run("inspect", "--recursive", models)[2] == ""
    (models / "deep" / "xl.safetensors").unlink()
    assert run("inspect", "--recursive", models)[2] == f"{models}: there are no models in this folder\n"


def test_errors_stand_below_their_own_file(run, models):
    (models / "a.safetensors").write_bytes(b"")
    code, out, err = run("inspect", models, "--why")
    first, second = out.split("\n\n")
    assert (code, err) == (1, "")
    assert "a.safetensors" in first and "  error    the file is empty" in first and "  error  " not in second


@pytest.mark.parametrize(
    "facts, said",
    [
        *((ModelFacts("m", ARCHITECTURES[id], "checkpoint"), "1 (as trained)") for id in ("sd2", "sdxl", "sd3")),
        (ModelFacts("m", ARCHITECTURES["sdxl"], "diffusion-model"), "1 (as trained)"),
        (ModelFacts("m", ARCHITECTURES["sd1"], "checkpoint", verdict="not-nai"), "1 (as trained)"),
        (ModelFacts("m", ARCHITECTURES["sd1"], "checkpoint"), "-"),
        (ModelFacts("m", ARCHITECTURES["sd1"], "checkpoint", verdict="contains-nai"), "-"),
        (
            ModelFacts(
                "m",
                ARCHITECTURES["sd1"],
                "checkpoint",
                verdict="not-nai",
                statements=(SkipStatement("description", "1 or 2", {}),),
            ),
            "-",
        ),
        (ModelFacts("m", ARCHITECTURES["flux"], "checkpoint"), "-"),
        (ModelFacts("m", ARCHITECTURES["sdxl"], "lora"), "-"),
        (ModelFacts("m"), "-"),
    ],
)
def test_recommended_is_as_trained_where_there_is_no_question(facts, said):
    assert command._recommended(facts) == said


def test_what_it_was_trained_with_is_told_of_loras(run, models, monkeypatch):
    assert "TRAINED" not in run("inspect", models)[1]
    facts = ModelFacts("l", ARCHITECTURES["sd1"], "lora", trained_skip=2.0)
    monkeypatch.setattr(command, "_inspected", lambda *_: [facts])
    head, row = run("inspect", models)[1].splitlines()
    assert head.split()[-1] == "TRAINED" and row.split()[-1] == "2"


def test_a_name_that_the_output_cannot_hold(tmp_path, models):
    (models / "xl.safetensors").rename(models / "\N{CAT FACE}.safetensors")
    for encoding in ("ascii", "cp1252"):  # what Windows redirects in
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        code, out, err = ask("inspect", models, data=tmp_path / "data", env=environment)
        assert (code, err) == (0, "") and "\\U0001f431.safetensors" in out


@pytest.mark.parametrize("line", [["presets", "list"], ["presets", "export"], ["presets", "show", "m0"]])
def test_a_reader_that_has_gone_is_no_error(tmp_path, line):
    Store(tmp_path).change(lambda presets: presets.update({f"name:m{n}": {"note": "n" * 300} for n in range(2000)}))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "clip_skip", "--data-dir", tmp_path, *line],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_what_the_caller_has_closed_is_not_written_to(run, models, monkeypatch, closed):
    """As `>&-` of a shell does; Python has None there then."""
    monkeypatch.setattr(sys, closed, None)
    (models / "broken.safetensors").write_bytes(b"")
    assert run("inspect", models)[0] == 1
    assert run("presets", "list")[0] == 0


@pytest.mark.parametrize("line", [["inspect", "x.pt"], ["presets", "list"], ["presets", "export"]])
def test_a_disk_that_is_full_is_one_line(tmp_path, line):
    for unbuffered in ("", "1"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "clip_skip", "--data-dir", tmp_path, *line],
                cwd=tmp_path,
                env={**os.environ, "PYTHONUNBUFFERED": unbuffered, "PYTHONPATH": str(ROOT)},
                stdout=full,
                stderr=subprocess.PIPE,
            )
        assert done.stderr.count(b"error: No space left on device\n") == 1 and b"Traceback" not in done.stderr


def test_what_was_to_be_done_is_done_though_nobody_reads(tmp_path):
    Store(tmp_path).change(lambda presets: presets.update({f"name:m{n}": {"note": "n"} for n in range(3000)}))
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "clip_skip", "--data-dir", tmp_path, "presets", "delete"]
    done = subprocess.run([*line, *(f"m{n}" for n in range(20))], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 0 and len(Store(tmp_path).all()) == 2980


def test_what_was_to_be_done_is_done_though_nobody_hears_of_errors(tmp_path):
    (tmp_path / "x.txt").write_text("Steps: 1, Model: a, Clip skip: 2")
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "clip_skip", "--data-dir", tmp_path, "presets", "import", "--sd1"]
    done = subprocess.run([*line, tmp_path / "gone", tmp_path / "x.txt"], cwd=ROOT, stdout=writing, stderr=writing)
    os.close(writing)
    assert done.returncode == 1 and list(Store(tmp_path).all()) == ["name:a"]


def test_pipes_in_a_folder_are_not_waited_for(run, tmp_path):
    os.mkfifo(tmp_path / "x.safetensors")
    for line in (["inspect", tmp_path], ["drift", "--prompt", "a", "--model", tmp_path / "x.safetensors"]):
        code, _, err = run(*line)
        assert code == 1 and err.endswith("x.safetensors: neither a file nor a folder\n")


def test_ctrl_c_is_one_line(run, models, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "file_sha256", stopped)
    assert run("inspect", models, "--thorough") == (130, "", "stopped\n")


def test_the_bytes_of_one_file_are_told_as_they_are_read(models):
    told = []
    file_sha256(models / "xl.safetensors", told.append)
    assert len(told) > 1 and sum(told) == (models / "xl.safetensors").stat().st_size


def width(text):
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_table_is_no_wider_than_the_terminal(monkeypatch, columns):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    wide = "\N{CJK UNIFIED IDEOGRAPH-732B}" * 30 + ".safetensors"
    rows = [("models/" + "x" * 90 + "_v2.safetensors", "sdxl", "checkpoint", "a"), (wide, "sd1", "lora", "b")]
    head, *shown = terminal.table(("FILE", "ARCHITECTURE", "KIND", "END"), rows).splitlines()
    assert all(width(line) <= columns for line in (head, *shown))
    assert [line[-1] for line in shown] == ["a", "b"] and all("safetensors " in line for line in shown)
    assert width(shown[0]) == width(shown[1]) and shown[0].startswith("models/x")


def test_a_table_for_a_file_is_whole():
    assert "x" * 300 in terminal.table(("A",), [("x" * 300,)])


def test_errors_are_the_systems_words(run, tmp_path):
    missing = tmp_path / "none"
    for line in (
        ["presets", "import", missing],
        ["learn", missing, "--as", "nai"],
        ["inspect", missing],
        ["drift", "--model", missing, "--prompt", "a"],
        ["presets", "export", "-o", missing / "x"],
    ):
        code, _, err = run(*line)
        assert code == 1 and "No such file or directory" in err and "Errno" not in err and str(missing) in err


@pytest.mark.parametrize("linked", [True, False])
def test_a_linked_extension_has_the_webuis_data(tmp_path, monkeypatch, linked):
    """As `cd extensions/clip-skip; python -m clip_skip` has it: the shell alone knows by which way it came."""
    home, webui = tmp_path / "home", tmp_path / "webui"
    (webui / "extensions").mkdir(parents=True)
    link = webui / "extensions" / "clip-skip"
    link.symlink_to(ROOT)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PWD", str(link if linked else tmp_path))
    assert data_folder(None) == (webui if linked else home) / "clip-skip"


def test_every_advice_with_a_name_for_the_user_can_be_silenced():
    assert set(SILENCEABLE) == set(presets_view._SILENCED)
