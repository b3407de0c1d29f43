"""`python -m clip_skip drift ...`, as a user types it, on small checkpoints with real numbers of blocks."""

import csv
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from clip_skip.__main__ import main
from clip_skip.drift import clip_tokens
from clip_skip.models.inspect.facts import inspect
from clip_skip.models.inspect.inspector import Inspector
from clip_skip.models.inspect.verdict.recommend import Recommendation
from minihost import weights

from . import reference
from .conftest import PROMPT, WORDS, ids_for, write_vocabulary

ROOT = Path(__file__).resolve().parents[2]
LAYOUTS = [name for name in reference.TRAINED if name != "cascade"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name in (*LAYOUTS, "flux"):
        weights.write_file(folder / f"{name}.safetensors", weights.ARCHITECTURES[name])
    return folder


@pytest.fixture
def drift(capfd, tmp_path, vocabulary, monkeypatch):
    """Runs the command on a model and the prompt; its exit code, stdout and stderr."""
    monkeypatch.setattr(clip_tokens, "_cached", lambda: [])

    def run(model, *arguments, prompt=PROMPT, tokenizer=vocabulary):
        line = ["--data-dir", str(tmp_path / "data"), "drift", "--model", str(model), "--prompt", prompt, *arguments]
        line += ["--tokenizer", str(tokenizer)] if tokenizer else []
        return main(line), *capfd.readouterr()

    return run


def tables(out):
    """The printed rows by the encoder's name above them, without the head."""
    blocks = [block.splitlines() for block in out.split("\n\n")[1:]]
    return {lines[0]: [re.split(r"\s{2,}", line) for line in lines[2:]] for lines in blocks if len(lines) > 2}


@pytest.mark.parametrize("architecture", LAYOUTS)
def test_table_and_numbers(drift, models, tmp_path, architecture):
    out_file = tmp_path / "numbers.csv"
    code, out, err = drift(models / f"{architecture}.safetensors", "--out", str(out_file))
    assert (code, err) == (0, "")
    numbers = list(csv.DictReader(out_file.read_text().splitlines()))
    printed = tables(out)
    assert list(printed) == [f"CLIP-{id.upper()}" for id in reference.TRAINED[architecture]]
    for id, (trained, _) in reference.TRAINED[architecture].items():
        ids, _ = ids_for(architecture, id)
        expected = reference.whole_skips(weights.encoder_state(architecture, id), architecture, id, ids)
        rows = [row for row in numbers if row["encoder"] == id]
        assert [(row["skip"], row["depth"]) for row in rows] == [
            (str(skip), str(trained + 1 - skip)) for skip in range(1, trained + 1)
        ]
        for row, line, (cosine, relative, _) in zip(rows, printed[f"CLIP-{id.upper()}"], expected, strict=True):
            assert abs(float(row["cosine"]) - cosine) <= 1e-6
            assert abs(float(row["relative_norm"]) - relative) <= 1e-6
            assert line[:4] == [
                row["skip"],
                f"{row['depth']} of {weights.SPECS[id].layers}",
                f"{float(row['cosine']):.4f}",
                f"{float(row['relative_norm']):.4f}",
            ]
        assert printed[f"CLIP-{id.upper()}"][0][4:] == ["as trained, recommended"]
        assert all(len(line) == 5 for line in printed[f"CLIP-{id.upper()}"][1:])  # the words, and no mark


def test_a_diffusers_folder_has_its_own_tokenizer(drift, tmp_path):
    weights.write_folder(tmp_path / "sdxl", weights.ARCHITECTURES["sdxl"])
    write_vocabulary(tmp_path / "sdxl" / "tokenizer")
    code, out, err = drift(tmp_path / "sdxl", tokenizer=None)
    assert (code, err) == (0, "")
    assert out == drift(tmp_path / "sdxl")[1]
    component = drift(tmp_path / "sdxl" / "text_encoder_2", tokenizer=None)
    assert component[0] == 0 and tables(component[1])["CLIP-G"] == tables(out)["CLIP-G"]


def test_what_the_model_says_is_marked(drift, tmp_path):
    path = tmp_path / "sd1.safetensors"
    weights.write_file(path, weights.ARCHITECTURES["sd1"], {"ss_clip_skip": "2", "ss_base_model_version": "sd_v1"})
    svg = tmp_path / "drift.svg"
    code, out, _ = drift(path, "--out", str(svg))
    rows = tables(out)["CLIP-L"]
    assert code == 0 and rows[0][4:] == ["as trained"]
    assert rows[1][5:] == ["recommended (ss-clip-skip)"] and not [row for row in rows[2:] if len(row) > 5]
    assert ">recommended</text>" in svg.read_text()


def test_a_recommended_fraction_has_a_row_of_its_own(drift, models, monkeypatch):
    facts = replace(inspect(models / "sd1.safetensors"), recommended=Recommendation({"l": 1.5}, "yaml", ""))
    monkeypatch.setattr(Inspector, "inspect", lambda self, path: facts)
    rows = tables(drift(models / "sd1.safetensors")[1])["CLIP-L"]
    assert [row[0] for row in rows] == ["1", "1.5", *(str(skip) for skip in range(2, 13))]
    assert rows[1][1] == "11.5 of 12" and rows[1][5:] == ["recommended (yaml)"]
    assert float(rows[0][3]) < float(rows[1][3]) < float(rows[2][3])


def test_a_recommendation_is_for_the_models_own_architecture(drift, models, monkeypatch):
    facts = replace(inspect(models / "sd1.safetensors"), recommended=Recommendation({"l": 12.0}, "yaml", ""))
    monkeypatch.setattr(Inspector, "inspect", lambda self, path: facts)
    assert tables(drift(models / "sd1.safetensors")[1])["CLIP-L"][11][5:] == ["recommended (yaml)"]
    code, out, _ = drift(models / "sd1.safetensors", "--architecture", "sdxl")
    rows = tables(out)["CLIP-L"]
    assert code == 0 and len(rows) == 11 and rows[0][4:] == ["as trained, recommended"]


def test_the_words_that_moved_most(drift, models):
    ids, _ = ids_for("sdxl", "g")
    moved = reference.whole_skips(weights.encoder_state("sdxl", "g"), "sdxl", "g", ids)[4][2]
    places = sorted(range(1, 6), key=lambda place: -moved[place])[:3]
    words = dict(enumerate(PROMPT.split(), 1))
    said = tables(drift(models / "sdxl.safetensors")[1])["CLIP-G"][4][4]
    assert said == ", ".join(f"{words[place]} {moved[place]:.2f}" for place in places)


def test_a_prompt_of_no_words(drift, models):
    code, out, _ = drift(models / "sd1.safetensors", prompt="")
    assert code == 0 and [len(row) for row in tables(out)["CLIP-L"]] == [5] + [4] * 11


@pytest.mark.parametrize("words", [75, 76, 200])
def test_a_long_prompt(drift, models, tmp_path, words):
    prompt = " ".join((WORDS * 40)[:words])
    code, _, _ = drift(models / "sd1.safetensors", "--out", str(tmp_path / "x.csv"), prompt=prompt)
    ids = [101 + index % len(WORDS) for index in range(words)]
    rows = torch.cat([ids_for("sd1", "l", ids[first : first + 75])[0] for first in range(0, words, 75)])
    expected = reference.whole_skips(weights.encoder_state("sd1", "l"), "sd1", "l", rows)
    got = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert code == 0
    for row, (cosine, relative, _) in zip(got, expected, strict=True):
        assert abs(float(row["cosine"]) - cosine) <= 1e-6 and abs(float(row["relative_norm"]) - relative) <= 1e-6


def test_a_text_encoder_alone(drift, models, tmp_path):
    state = weights.encoder_state("sd1", "l")
    save_file(state, tmp_path / "clip.safetensors")
    code, out, _ = drift(tmp_path / "clip.safetensors")
    assert code == 0 and "read as SD 1.x reads it" in out
    assert tables(out)["CLIP-L"] == tables(drift(models / "sd1.safetensors")[1])["CLIP-L"]
    code, out, err = drift(tmp_path / "clip.safetensors", "--architecture", "sdxl")
    assert code == 0 and "no CLIP-G text encoder" in err
    assert len(tables(out)["CLIP-L"]) == 11


def test_pictures(drift, models, tmp_path):
    for name in ("x.svg", "X.PNG"):
        code, out, _ = drift(models / "sdxl.safetensors", "--out", str(tmp_path / name))
        assert code == 0 and out.endswith(f"written: {tmp_path / name}\n")
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    hints = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert hints[0] == f"sdxl.safetensors: {PROMPT}"
    assert sum(bool(re.search(r": [\d.]+ / [\d.]+\n\w+ [\d.]+, \w+ [\d.]+, \w+ [\d.]+$", hint)) for hint in hints) == 80
    assert Image.open(tmp_path / "X.PNG").format == "PNG"


def test_a_hostile_prompt_and_file_name(drift, tmp_path):
    path = tmp_path / "a<b>&\x1b[31m.safetensors"
    weights.write_file(tmp_path / "sd1.safetensors", weights.ARCHITECTURES["sd1"])
    (tmp_path / "sd1.safetensors").rename(path)
    prompt = "</text><script>alert('x')</script> \x1b]0;owned\x07 & \"cat\" 猫 \udcff"
    code, out, err = drift(path, "--out", str(tmp_path / "x.svg"), prompt=prompt)
    assert code == 0 and not set("\x1b\x07") & set(out + err)
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        *("svg", "title", "style", "polyline", "circle", "text")
    }
    assert "<script>" in root[0].text
    assert drift(path, "--out", str(tmp_path / "x.png"), prompt=prompt)[0] == 0


def test_a_pickle_is_refused(drift, models, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "went-off"), "w"))

    torch.save({"state_dict": load_file(models / "sd1.safetensors"), "bomb": Bomb()}, tmp_path / "x.ckpt")
    code, out, err = drift(tmp_path / "x.ckpt")
    assert code == 1 and "is a pickle" in err and "convert it to .safetensors" in err and "CLIP-L" not in out
    assert not (tmp_path / "went-off").exists()


def test_models_without_a_clip_skip(drift, models, tmp_path):
    code, _, err = drift(models / "flux.safetensors")
    assert code == 1 and "It reads only CLIP's summary" in err
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    assert "architecture is not known" in drift(tmp_path / "x.safetensors")[2]
    unet = {key: value for key, value in load_file(models / "sdxl.safetensors").items() if "conditioner" not in key}
    save_file(unet, tmp_path / "unet.safetensors")
    code, _, err = drift(tmp_path / "unet.safetensors")
    assert code == 1 and "there is no CLIP-L or CLIP-G text encoder in it" in err


def test_files_that_are_not_there_or_broken(drift, models, tmp_path):
    assert drift(tmp_path / "nothing.safetensors")[0] == 1
    (tmp_path / "x.safetensors").write_bytes((models / "sd1.safetensors").read_bytes()[:-5000])
    code, _, err = drift(tmp_path / "x.safetensors")
    assert code == 1 and err.startswith(f"error: {tmp_path / 'x.safetensors'}: ")
    assert drift(models / "sd1.safetensors", "--out", str(tmp_path / "no" / "x.svg"))[0] == 1


def test_an_output_of_no_known_kind(drift, models, capfd):
    with pytest.raises(SystemExit) as stopped:
        drift(models / "sd1.safetensors", "--out", "x.pdf")
    assert stopped.value.code == 2 and "ends in none of .svg, .png, .csv" in capfd.readouterr().err


def test_a_vocabulary_that_the_encoder_lacks(drift, tmp_path, vocabulary):
    state = weights.encoder_state("sd1", "l")
    name = "text_model.embeddings.token_embedding.weight"
    save_file({**state, name: state[name][:500].contiguous()}, tmp_path / "clip.safetensors")
    code, _, err = drift(tmp_path / "clip.safetensors")
    assert code == 1 and "knows 500 tokens" in err and "the id 999" in err


def command(*arguments, code="from clip_skip.__main__ import main; sys.exit(main())", **environment):
    line = [sys.executable, "-c", f"import sys; {code}", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment})


def test_without_a_tokenizer_and_with_one_in_the_hugging_face_cache(models, tmp_path):
    line = ("drift", "--model", str(models / "sd1.safetensors"), "--prompt", PROMPT)
    cache = {"HF_HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""}
    run = command("--data-dir", str(tmp_path / "data"), *line, **cache)
    assert run.returncode == 1 and run.stdout == ""
    assert "no CLIP tokenizer on this machine, and nothing is downloaded" in run.stderr and "--tokenizer" in run.stderr
    repository = tmp_path / "models--openai--clip-vit-large-patch14"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    write_vocabulary(repository / "snapshots" / "abc")
    run = command("--data-dir", str(tmp_path / "data"), *line, **cache)
    assert (run.returncode, run.stderr) == (0, "")
    assert [row[0] for row in tables(run.stdout)["CLIP-L"]] == [str(skip) for skip in range(1, 13)]


def test_without_torch_or_transformers(models, tmp_path):
    line = ("drift", "--model", str(models / "sd1.safetensors"), "--prompt", PROMPT)
    for missing in ("torch", "transformers"):
        code = f"sys.modules[{missing!r}] = None; from clip_skip.__main__ import main; sys.exit(main())"
        run = command("--data-dir", str(tmp_path), *line, code=code)
        assert run.returncode == 2 and run.stderr.count("\n") == 1
        assert "needs torch and transformers" in run.stderr


def test_the_other_commands_do_not_load_torch():
    run = command(code="import clip_skip.__main__; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)")
    assert run.returncode == 0
