"""What read_contents says of a file, against what the format's own library says of it, or a writer in the test."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from clip_skip.models.inspect.formats import contents as module
from clip_skip.models.inspect.formats import safetensors as headers
from clip_skip.models.inspect.formats.contents import Contents, ContentsError, Numbers, Tensor, read_numbers
from clip_skip.models.inspect.formats.reader import read_contents

from .files import bf16, write_checkpoint, write_diffusers, write_gguf, write_safetensors

RNG = np.random.default_rng(3)
TORCH_NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.bool: "BOOL", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
}  # fmt: skip


def torch_tensors() -> dict[str, torch.Tensor]:
    """One tensor of each dtype, and odd shapes: no dimension, no number, one number."""
    tensors = {f"of {name}": torch.randn(4, 3).to(dtype) for dtype, name in TORCH_NAMES.items()}
    shapes = {"scalar": (), "empty": (0, 5), "one": (1, 1, 1), "wide": (2, 3, 4, 5, 6), "naïve 名前": (2,)}
    return tensors | {name: torch.randn(shape) for name, shape in shapes.items()}


def check_against(contents: Contents, expected: dict[str, torch.Tensor], readable_in_place: bool = True) -> None:
    assert {name: t.shape for name, t in contents.tensors.items()} == {n: tuple(t.shape) for n, t in expected.items()}
    assert {n: t.dtype for n, t in contents.tensors.items()} == {n: TORCH_NAMES[t.dtype] for n, t in expected.items()}
    for name, tensor in contents.tensors.items():
        if tensor.dtype in module.READABLE and readable_in_place:
            assert np.array_equal(read_numbers(tensor), expected[name].detach().float().reshape(-1).numpy()), name


# safetensors


def test_safetensors_say_what_the_library_says(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(torch_tensors(), path, {"format": "pt", "quoted": '{"a": ["\\u00e9", "b:c"]}', "ß": "日本"})
    contents = read_contents(path)
    with safe_open(path, "pt") as file:
        check_against(contents, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        assert contents.metadata == file.metadata()
    assert contents.format == "safetensors"
    assert {tensor.file for tensor in contents.tensors.values()} == {str(path)}


def test_a_long_file_is_not_read(tmp_path):
    path = write_safetensors(tmp_path / "long.safetensors", {"a": ("F16", (1 << 30, 2)), "b": np.float32([1, 2, 3])})
    assert path.stat().st_size > 4 << 30
    tensors = read_contents(path).tensors
    assert tensors["a"].shape == (1 << 30, 2)
    assert read_numbers(tensors["a"], (1 << 31) - 2).tolist() == [0, 0]
    assert read_numbers(tensors["b"]).tolist() == [1, 2, 3]


def test_types_that_are_not_known_pass(tmp_path):
    header = {
        "new": {"dtype": "F3_E1M1", "shape": [8], "data_offsets": [0, 3]},
        "half a byte": {"dtype": "F4", "shape": [3, 2], "data_offsets": [3, 6]},
    }
    contents = read_contents(raw(tmp_path, header, b"123456"))
    assert contents.tensors["new"][:2] == ("F3_E1M1", (8,))
    with pytest.raises(ContentsError, match="F4"):
        read_numbers(contents.tensors["half a byte"])


def test_no_tensors_and_bytes_behind_the_last_one_are_fine(tmp_path):
    assert read_contents(raw(tmp_path, {"__metadata__": {"a": "b"}}, b"abc")) == Contents("safetensors", {}, {"a": "b"})


@pytest.mark.parametrize(
    "metadata", [None, [], "text", 3, {"kept": "yes", "a": 1, "b": None, "c": {"d": "e"}, "f": []}]
)
def test_of_metadata_strings_are_kept(tmp_path, metadata):
    kept = {"kept": "yes"} if isinstance(metadata, dict) else {}
    assert read_contents(raw(tmp_path, {"__metadata__": metadata, "x": entry()}, b"1234")).metadata == kept


def test_a_long_list_of_digits_is_no_long_number(tmp_path):
    """Every 64th byte of it is a digit too."""
    metadata = {"weights": "0," * 20_000}
    assert read_contents(raw(tmp_path, {"__metadata__": metadata, "x": entry()}, b"1234")).metadata == metadata


def entry(dtype="F32", shape=(1,), span=(0, 4), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(span), **more}


def raw(folder, header, data: bytes = b""):
    """A file with this header, given as an object or as its text."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "raw.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def short(value) -> str:
    """A parameter in a test's name."""
    return str(value)[:30] if isinstance(value, str) else "-"


X = json.dumps(entry())
DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b'{"x":}', "broken JSON"),
        (b'{"x":' + X.encode() + b"}, 1", "broken JSON"),
        (f'{{,"x":{X}}}', "broken JSON"),
        (f'{{"x":{X},,"y":{X}}}', "broken JSON"),
        (f'{{"x":{X}}}"y":{X}}}', "broken JSON"),
        (f'{{"__metadata__":{{"a":"b","x":{X}}}', "broken JSON"),
        (b'{"\xff":' + X.encode() + b"}", "broken JSON"),
        (b'{"\\ud800":' + X.encode() + b"}", "half a character"),
        (b'{"__metadata__":{"a":"\\uD800"},"x":' + X.encode() + b"}", "half a character"),
        (DEEP, "too deeply"),
        (b'{"x":' + b"1" * 5000 + b"}", "digits"),
        (b'{"x":[' + b"0," * 1_000_001 + b"0]}", "more than 1000000 values"),
        (f'{{"x":{X},"x":{X}}}', "twice"),
        (f'{{"x":5,"x":{X}}}', "twice"),
        (f'{{"x":{X},"\\u0078":{X}}}', "twice"),
        (f'{{"\\u003ax":{X},"y":5,"y":{X}}}', "twice"),
        (f'{{"__metadata__":{{"a":"1","a":"2"}},"x":{X}}}', "twice"),
        (f'{{"__metadata__":3,"__metadata__":{{}},"x":{X}}}', "twice"),
        ('{"x":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', "twice"),
        ({"x": None}, "entry"),
        ({"x": "dtype shape data_offsets"}, "entry"),
        ({"x": []}, "entry"),
        ({"x": {"dtype": "F32", "shape": [1]}}, "entry"),
        ({"x": entry(dtype=7)}, "dtype"),
        ({"x": entry(dtype=["F32"])}, "dtype"),
        ({"x": {**entry(), "shape": "1"}}, "shape"),
        ({"x": {**entry(), "shape": {"1": 1}}}, "shape"),
        ({"x": entry(shape=[True])}, "whole number"),
        ({"x": entry(), "y": entry(shape=[True], span=[4, 8])}, "whole number"),
        ({"x": entry(shape=[1.0])}, "whole number"),
        ({"x": entry(shape=[[1]])}, "whole number"),
        ({"x": entry(shape=[None])}, "whole number"),
        ({"x": entry(shape=[-1, -1])}, "negative"),
        ({"x": entry(shape=[1] * 17)}, "dimensions"),
        ({"x": entry(dtype="new", shape=[2**32, 2**31])}, "absurdly"),
        ({"x": entry(dtype="new", shape=[2**63, 0])}, "absurdly"),
        ({"x": entry(shape=[2])}, "does not take"),
        ({"x": entry(dtype="F16")}, "does not take"),
        ({"x": entry(dtype="F4", shape=[3], span=[0, 1])}, "does not take"),
        ({"x": entry(span=[0, 4, 8])}, "data_offsets"),
        ({"x": entry(span=[0]), "y": entry(span=[4, 4, 8])}, "data_offsets"),
        ({"x": {**entry(), "data_offsets": {"0": 4}}}, "data_offsets"),
        ({"x": entry(span=[0.0, 4.0])}, "whole number"),
        ({"x": entry(span=[False, 4])}, "whole number"),
        ({"x": entry(span=[-4, 0])}, "cut off"),
        ({"x": entry(span=[4, 0])}, "overlap"),
        ({"x": entry(), "y": entry(span=[2, 6])}, "overlap"),
        ({"x": entry(span=[4, 8]), "y": entry(span=[4, 8])}, "overlap"),
        ({"x": entry(span=[8, 12])}, "cut off"),
        ({"x": entry(span=[10**4000, 10**4000 + 4])}, "cut off|digits"),
    ],
    ids=short,
)  # fmt: skip
def test_hostile_headers_are_refused(tmp_path, header, why):
    with pytest.raises(ContentsError, match=why) as refusal:
        read_contents(raw(tmp_path, header.encode() if isinstance(header, str) else header, b"12345678"))
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\0" * 4000, "zeros"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4265146304\n", "Git LFS"),
        (b"\n<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "web page"),
        (b"<html>not found</html>", "web page"),
        (b'{"error":"Unauthorized"}', "JSON text"),
        (b"12345678 and no header", "known kind"),
        (b"short", "known kind"),
        (struct.pack("<Q", 500) + b"{}", "cut off"),
        (struct.pack("<Q", 100_000_001) + b"{}", "100000001 bytes"),
        (struct.pack("<Q", 2**63) + b"{}", "bytes"),
        (struct.pack("<Q", 0) + b"{}", "broken JSON"),
        (struct.pack("<Q", 1) + b"{}", "broken JSON"),
        (b"PK\3\4 and no more", "broken zip"),
        (b"\x80\x02}q\0.", "no tensors"),
        (b"\x80\x02}q\0", "broken pickle"),
        (b"GGUF", "cut off"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1 "),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "version"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**63), "a text of"),
    ],
    ids=short,
)  # fmt: skip
def test_files_that_are_no_model_say_what_they_are(tmp_path, data, why):
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(ContentsError, match=why):
        read_contents(path)


def test_what_is_no_file(tmp_path):
    with pytest.raises(OSError):
        read_contents(tmp_path / "missing.safetensors")
    with pytest.raises(ContentsError):
        read_contents("a\0b")
    with pytest.raises(ContentsError, match="model_index"):
        read_contents(tmp_path)
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(ContentsError, match="neither"):
        read_contents(tmp_path / "pipe.safetensors")


def test_the_name_does_not_matter(tmp_path):
    tensors = {"x": np.float32([1, 2])}
    assert read_contents(write_checkpoint(tmp_path / "a.safetensors", tensors)).format == "pickle"
    assert read_contents(write_gguf(tmp_path / "b.ckpt", tensors)).format == "gguf"
    assert read_contents(write_safetensors(tmp_path / "c.gguf", tensors)).format == "safetensors"


def test_a_header_whose_length_looks_like_a_pickle(tmp_path):
    """0x0280 bytes, little-endian, are a pickle's first two."""
    text = json.dumps({"x": entry()}).encode().ljust(0x280)
    assert list(read_contents(raw(tmp_path, text, b"1234")).tensors) == ["x"]


def test_a_gguf_with_123_tensors_looks_like_safetensors(tmp_path):
    path = write_gguf(tmp_path / "a.gguf", {str(i): np.float32([i]) for i in range(123)})
    assert path.read_bytes()[8:9] == b"{"
    assert len(read_contents(path).tensors) == 123


keys = st.sampled_from(["a", "b", ":", "a:b", '"', "\\", "\\u003a", "é", "\u2028"])


@settings(max_examples=300)
@given(st.lists(st.tuples(keys, st.booleans()), max_size=5), st.lists(st.tuples(keys, keys, st.booleans()), max_size=4))
def test_a_name_twice_is_refused_and_nothing_else(tmp_path_factory, names, metadata):
    """However names are escaped, and whatever colons and backslashes they and the metadata have."""

    def quoted(text: str, by_number: bool) -> str:
        return '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"' if by_number else json.dumps(text)

    entries = [
        f"{quoted(name, how)}:{json.dumps(entry(span=(4 * i, 4 * i + 4)))}" for i, (name, how) in enumerate(names)
    ]
    pairs = ",".join(f"{quoted(key, how)}:{quoted(value, how)}" for key, value, how in metadata)
    text = "{" + ",".join([f'"__metadata__":{{{pairs}}}', *entries]) + "}"
    path = raw(tmp_path_factory.getbasetemp(), text.encode(), bytes(20))
    unique = len(dict(names)) == len(names) and len({key for key, *_ in metadata}) == len(metadata)
    if unique:
        contents = read_contents(path)
        assert list(contents.tensors) == [name for name, _ in names]
        assert contents.metadata == {key: value for key, value, _ in metadata}
    else:
        with pytest.raises(ContentsError, match="twice"):
            read_contents(path)


def said(path):
    """What reading the file says: its names in order with their tensors and its metadata, or why it is refused."""
    try:
        contents = read_contents(path)
        return list(contents.tensors.items()), contents.metadata
    except ContentsError as error:
        return str(error)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("metadata", [{}, {"__metadata__": {"a": '{"b": [","]}, "x":{"dtype":'}}])
def test_headers_as_they_are_usually_written_need_no_json(tmp_path, monkeypatch, separators, metadata):
    names = {"é.weight": entry(), "b": entry("F16", (2, 0, 3), (4, 4)), "c": entry("I64", (), (4, 12))}
    path = raw(tmp_path, json.dumps(metadata | names, ensure_ascii=False, separators=separators).encode(), bytes(12))
    by_columns = said(path)
    monkeypatch.setattr(headers, "_read_usual", lambda text: None)
    assert by_columns == said(path) and len(by_columns[0]) == 3
    monkeypatch.undo()
    monkeypatch.delattr(headers, "_read_json")
    assert by_columns == said(path)


# Each part of a header as it usually is, and what may be there instead.
DTYPES = ("F16", ["F32", "NEW", "", "f16", "F16\\u0020", "é"])
SHAPES = ("2", ["", "2,1", "1, 2", "02", "-2", "2,", ",2", "2.0", "2 2", "true", "[2]", "9" * 20, "1," * 16 + "2"])
SPANS = ("{0},{1}", ["{0}, {1}", "{1},{0}", "0{0},{1}", "{0}", "{0},{1},{1}", "0,4", "-4,0", "{0},9" + "9" * 30])
NAMES = ("name{2}", ["name0", "", "__metadata__", "é", "\\u006eame0", '\\"', "\\", "a\nb", "9" * 5000, "{{}}"])
VALUES = (
    '{"dtype":"%s","shape":[%s],"data_offsets":[%s]}',
    ['{"dtype": "%s","shape": [%s],"data_offsets":[%s]}}', "5"],
)
METADATA = ('{"a":"b"}', ["{}", "5", '{"a":1}', '{"a":"\\ud800"}', '{"a":"b","a":"c"}', '{"x":' + X + "}", '{"a":"b"'])
COMMAS = (",", [", ", "", ",,", "\n,", "},{", " , "])
BEGINS = ("{", ["{,", "{ ", "["])
ENDS = ("}", ["}  ", "}\n", ",}", "}}", "}x", "", "}\0", "}\u2003"])


@st.composite
def header_texts(draw):
    """Headers that are in the usual form, or all but."""

    def part(usual, odd):
        return draw(st.sampled_from([usual] * 20 * len(odd) + odd))

    text, end = "", 0
    metadata_before = part(0, [None, 1])
    for index in range(draw(st.integers(0, 4))):
        if index == metadata_before:
            text += f'"__metadata__":{part(*METADATA)}{part(*COMMAS)}'
        begin, end = end, end + part(4, [0, 2, 8])
        value = part(*VALUES)
        if "%" in value:
            value %= part(*DTYPES), part(*SHAPES), part(*SPANS).format(begin, end)
        text += f'"{part(*NAMES).format(begin, end, index)}":{value}{part(*COMMAS)}'
    return part(*BEGINS) + part(text.removesuffix(","), [text]) + part(*ENDS)


@settings(max_examples=2000)
@given(header_texts())
def test_reading_by_columns_says_what_reading_json_says(tmp_path_factory, text):
    path = raw(tmp_path_factory.getbasetemp(), text.encode(), bytes(20))
    by_columns = said(path)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(headers, "_read_usual", lambda text: None)
        assert by_columns == said(path)


# Checkpoints


def state() -> dict[str, torch.Tensor]:
    base = torch.randn(6, 4)
    views = {"row": base[2], "columns": base[:, 1:3], "turned": base.t(), "again": base, "part": base[1:3]}
    return (
        torch_tensors()
        | views
        | {"parameter": torch.nn.Parameter(torch.randn(2, 2)), "repeated": torch.ones(1).expand(3, 3)}
    )


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}])
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": OrderedDict(s), "epoch": 3, "lr": [1e-4]}])
def test_checkpoints_say_what_torch_says(tmp_path, options, wrap):
    path = tmp_path / "model.ckpt"
    tensors = state()
    if "_use_new_zipfile_serialization" in options:  # that format does not know them
        tensors = {name: tensor for name, tensor in tensors.items() if "float8" not in str(tensor.dtype)}
    torch.save(wrap(tensors), path, **options)
    contents = read_contents(path)
    loaded = torch.load(path, weights_only="pickle_protocol" not in options)  # it reads its own protocol only
    loaded = loaded.get("state_dict", loaded)
    in_order = {name: tensor for name, tensor in loaded.items() if tensor.is_contiguous()}
    check_against(contents, loaded, readable_in_place=False)
    check_against(Contents("", {name: contents.tensors[name] for name in in_order}), in_order)
    assert {name for name, t in contents.tensors.items() if t.offset is None and t.dtype in module.READABLE} == {
        "columns", "turned", "repeated",
    }  # fmt: skip
    assert contents.format == "pickle"


def test_a_modules_state_dict(tmp_path):
    """An OrderedDict with attributes of its own."""
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    torch.save(layer.state_dict(), tmp_path / "a.pt")
    check_against(read_contents(tmp_path / "a.pt"), dict(layer.state_dict()))


def test_a_tensor_with_attributes(tmp_path):
    tensor = torch.randn(3)
    tensor.note = "mine"
    torch.save({"x": tensor}, tmp_path / "a.pt")
    check_against(read_contents(tmp_path / "a.pt"), {"x": tensor})


def test_what_a_checkpoint_says_beside_the_model(tmp_path):
    weights = {"w": torch.zeros(2), "scale": 0.5}
    optimizer = {"state": {0: {"exp_avg": torch.zeros(2)}}, "name": "inside"}
    saved = {
        "epoch": 3,
        "version": "1.9",
        "done": True,
        "none": None,
        "state_dict": {"model": weights},
        "opt": optimizer,
    }
    torch.save(saved, tmp_path / "a.ckpt")
    contents = read_contents(tmp_path / "a.ckpt")
    assert list(contents.tensors) == ["w"]
    assert contents.metadata == {"epoch": "3", "version": "1.9", "done": "True", "scale": "0.5"}


def test_a_textual_inversion(tmp_path):
    torch.save({"string_to_param": {"*": torch.zeros(2, 768)}, "name": "x", "step": 9, 5: "five"}, tmp_path / "a.pt")
    contents = read_contents(tmp_path / "a.pt")
    assert contents.tensors["string_to_param.*"].shape == (2, 768)
    assert contents.metadata == {"name": "x", "step": "9"}


def test_a_compressed_checkpoint_has_names_but_no_numbers_in_place(tmp_path):
    torch.save({"x": torch.randn(50, 50)}, tmp_path / "a.ckpt")
    with (
        zipfile.ZipFile(tmp_path / "a.ckpt") as old,
        zipfile.ZipFile(tmp_path / "b.ckpt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert read_contents(tmp_path / "b.ckpt").tensors["x"] == Tensor("F32", (50, 50), None, str(tmp_path / "b.ckpt"))


@pytest.mark.parametrize("saved", [[1, 2], {"a": 1}, "text", torch.nn.Linear(2, 2), {"x": np.zeros(3)}])
def test_pickles_without_tensors_that_can_be_told(tmp_path, saved):
    for zipped in (True, False):
        torch.save(saved, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
        with pytest.raises(ContentsError, match="no tensors"):
            read_contents(tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(1.5, 2))
    with pytest.raises(ContentsError, match="no tensors"):
        read_contents(tmp_path / "b.pt")


def test_zip_archives_of_other_things(tmp_path):
    for name, method, why in (("a.txt", 0, "data.pkl"), ("data.pkl", zipfile.ZIP_LZMA, "compressed")):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
            archive.writestr(name, "x" * 100)
        with pytest.raises(ContentsError, match=why):
            read_contents(tmp_path / "a.zip")


@pytest.mark.parametrize("size", [{"shape": (-1,)}, {"shape": (2**40, 2**40)}, {"shape": (True,)}, {"shape": ((),)}])
def test_absurd_shapes_in_a_pickle(tmp_path, size):
    out = io.BytesIO()

    class Storage:
        pass

    class Shaped:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Storage(), 0, size["shape"], (1,), False, {})

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            return ("storage", torch.FloatStorage, "0", "cpu", 1) if isinstance(thing, Storage) else None

    Pickler(out, 2).dump({"x": Shaped()})
    (tmp_path / "a.pt").write_bytes(out.getvalue())
    with pytest.raises(ContentsError, match="shape"):
        read_contents(tmp_path / "a.pt")


# GGUF


@pytest.mark.parametrize("version", [2, 3])
def test_gguf(tmp_path, version):
    x = RNG.standard_normal((3, 5)).astype(np.float32)
    tensors = {"x": x, "half": x.astype(np.float16), "brain": bf16(x), "quantised": ("Q8_0", (4, 2, 64))}
    metadata = {"general.architecture": "sd1", "general.quantization_version": 2, "some.scale": 0.5}
    contents = read_contents(write_gguf(tmp_path / "a.gguf", tensors, metadata, version))
    assert contents.metadata == {
        "general.architecture": "sd1",
        "general.quantization_version": "2",
        "some.scale": "0.5",
    }
    assert [(t.dtype, t.shape) for t in contents.tensors.values()] == [
        ("F32", (3, 5)), ("F16", (3, 5)), ("BF16", (3, 5)), ("Q8_0", (4, 2, 64)),
    ]  # fmt: skip
    assert np.array_equal(read_numbers(contents.tensors["x"]), x.reshape(-1))
    assert np.array_equal(read_numbers(contents.tensors["half"]), x.astype(np.float16).astype(np.float32).reshape(-1))
    assert np.allclose(read_numbers(contents.tensors["brain"]), x.reshape(-1), rtol=2**-8)
    assert contents.tensors["quantised"].offset is None
    os.truncate(tmp_path / "a.gguf", 400)
    with pytest.raises(ContentsError, match="cut off"):
        read_contents(tmp_path / "a.gguf")


def test_gguf_arrays_alignment_and_flattened_tensors(tmp_path):
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    keys = [
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 3) + text("a") + text("") + text("ccc"),
        text("scores") + struct.pack("<IIQ100f", 9, 6, 100, *range(100)),
        text("comfy.gguf.orig_shape.w") + struct.pack("<IIQ4i", 9, 5, 4, 8, 4, 3, 3),
        text("general.alignment") + struct.pack("<II", 4, 64),
        text("yes") + struct.pack("<IB", 7, 1),
    ]
    tensor = text("w") + struct.pack("<IQQIQ", 2, 96, 3, 0, 64)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(keys)) + b"".join(keys) + tensor
    head += bytes(-len(head) % 64)
    (tmp_path / "a.gguf").write_bytes(head + bytes(64) + np.arange(288, dtype="<f4").tobytes())
    contents = read_contents(tmp_path / "a.gguf")
    assert contents.metadata == {"general.alignment": "64", "yes": "True"}
    assert contents.tensors["w"].shape == (8, 4, 3, 3)
    assert read_numbers(contents.tensors["w"]).tolist() == list(range(288))


# Folders


def test_a_diffusers_folder(tmp_path):
    x = np.float32([[1, 2, 3]])
    folder = write_diffusers(
        tmp_path / "model",
        "StableDiffusionPipeline",
        {"unet": {"cross_attention_dim": 768}, "text_encoder": {"num_hidden_layers": 12}, "scheduler": {}},
        {"unet": {"conv_in.weight": ("F16", (320, 4, 3, 3))}, "text_encoder": {"a.b": x}},
    )
    contents = read_contents(folder)
    assert contents.format == "diffusers"
    assert contents.configs["model_index"]["_class_name"] == "StableDiffusionPipeline"
    assert contents.configs["unet"] == {"cross_attention_dim": 768}
    assert {name: t.shape for name, t in contents.tensors.items()} == {
        "unet/conv_in.weight": (320, 4, 3, 3), "text_encoder/a.b": (1, 3),
    }  # fmt: skip
    assert read_numbers(contents.tensors["text_encoder/a.b"]).tolist() == [1, 2, 3]
    assert list(read_contents(folder / "unet").tensors) == ["unet/conv_in.weight"]


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["model.safetensors", "model.fp16.safetensors"], {"model.safetensors"}),
        (["model.fp16.safetensors"], {"model.fp16.safetensors"}),
        (["pytorch_model.bin", "model.fp16.safetensors"], {"model.fp16.safetensors"}),
        (["pytorch_model.bin"], {"pytorch_model.bin"}),
        (
            [f"model{v}-0000{i}-of-00002.safetensors" for i in (1, 2) for v in ("", ".fp16")],
            {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"},
        ),
        (
            [f"model-0000{i}-of-00002.fp16.safetensors" for i in (1, 2)],
            {"model-00001-of-00002.fp16.safetensors", "model-00002-of-00002.fp16.safetensors"},
        ),
        (["model.onnx", "modelx.safetensors", "model.safetensors.index.json"], set()),
    ],
)
def test_one_set_of_a_components_files_is_read(tmp_path, files, chosen):
    folder = write_diffusers(tmp_path / "model", "P", {"text_encoder": {}})
    for file in files:
        write = write_checkpoint if file.endswith(".bin") else write_safetensors
        write(
            folder / "text_encoder" / file, {file: np.float32([1])}, **({"key": None} if file.endswith(".bin") else {})
        )
    assert {name.removeprefix("text_encoder/") for name in read_contents(folder).tensors} == chosen


def test_a_folders_broken_and_hostile_parts_are_left_out(tmp_path):
    write_diffusers(tmp_path / "other", "P", {"unet": {"stolen": 1}}, {"unet": {"stolen": np.float32([1])}})
    folder = write_diffusers(
        tmp_path / "m", "P", {"unet": {}, "vae": {}, "text_encoder": {}}, {"vae": {"x": np.float32([1])}}
    )
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"{")
    (folder / "text_encoder" / "config.json").write_bytes(DEEP)
    (folder / "text_encoder" / "model.safetensors").symlink_to(tmp_path / "other" / "unet")  # could lead in circles
    index = json.loads((folder / "model_index.json").read_text())
    hostile = [
        "../other/unet",
        "..",
        ".",
        "/etc",
        "a/../../other/unet",
        "..\\other",
        str(tmp_path / "other" / "unet"),
        "",
    ]
    index |= {name: ["diffusers", "X"] for name in [*hostile, "missing"]} | {"number": 3}
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "unet" / "config.json").unlink()
    os.mkfifo(folder / "unet" / "config.json")
    contents = read_contents(folder)
    assert list(contents.tensors) == ["vae/x"]
    assert set(contents.configs) == {"model_index", "vae"}
    for broken in (b"", b"[]", DEEP, b"{" + b" " * (5 << 20) + b"}"):
        (folder / "model_index.json").write_bytes(broken)
        with pytest.raises(ContentsError):
            read_contents(folder)


# Numbers


@pytest.fixture
def file(tmp_path):
    values = RNG.standard_normal(1000) * 100
    tensors = {"F64": values, "F32": values.astype("f4"), "F16": values.astype("f2"), "BF16": bf16(values)}
    path = write_safetensors(tmp_path / "a.safetensors", {**tensors, "I8": np.int8([1])})
    return path, read_contents(path).tensors


def test_runs_of_numbers(file):
    path, tensors = file
    with safe_open(path, "pt") as reference, Numbers() as numbers:
        for name in ("F64", "F32", "F16", "BF16"):
            expected = reference.get_tensor(name).float().numpy()
            for first, count in ((0, 1000), (0, 1), (999, 1), (500, 0), (1000, 0), (123, 456)):
                run = numbers.read(tensors[name], first, count)
                assert run.dtype == np.float32
                assert np.array_equal(run, expected[first : first + count])
            assert np.array_equal(numbers.read(tensors[name], 900), expected[900:])


def test_just_the_bytes_asked_for_are_read_from_a_file_opened_once_and_closed(file, monkeypatch):
    opened = []

    class Recorder(io.FileIO):
        def readinto(self, buffer):
            self.got = getattr(self, "got", 0) + len(buffer)
            return super().readinto(buffer)

    def recording_open(path, mode, buffering):
        opened.append(Recorder(path, mode))
        return opened[-1]

    monkeypatch.setattr(module, "open", recording_open, raising=False)
    with Numbers() as numbers:
        numbers.read(file[1]["F16"], 10, 100)
        numbers.read(file[1]["F64"], 10, 100)
    assert [(f.got, f.closed) for f in opened] == [(200 + 800, True)]


def test_numbers_that_are_not_there(file):
    path, tensors = file
    bad = [(-1, 1), (0, -1), (0, 1001), (1001, None), (1000, 1), (2**70, 1)]
    for first, count in bad:
        with pytest.raises(ContentsError):
            read_numbers(tensors["F32"], first, count)
    for tensor in (tensors["I8"], tensors["F32"]._replace(offset=None), Tensor("F32", (2**50,), 0, str(path))):
        with pytest.raises(ContentsError):
            read_numbers(tensor)
    os.truncate(path, tensors["F32"].offset + 40)
    assert len(read_numbers(tensors["F32"], 0, 10)) == 10
    with pytest.raises(ContentsError, match="ends inside"):
        read_numbers(tensors["F32"], 0, 11)
