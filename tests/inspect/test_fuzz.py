"""Hostile files: 10,000 mutations a run, and the worst that each format can ask for.

read_contents may refuse a file (ContentsError) and nothing else; whatever it accepts is sound; it executes nothing and
opens no other file, as Python's audit events show; and it stays within bounds of time and memory.
"""

from __future__ import annotations

import builtins
import copyreg
import io
import json
import math
import os
import pickle
import pickletools
import random
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from clip_skip.models.inspect.formats.contents import READABLE, Contents, ContentsError, Numbers
from clip_skip.models.inspect.formats.pickles import MAX_OPCODES
from clip_skip.models.inspect.formats.reader import read_contents

from .files import bf16, write_gguf

CASES = 2500  # of each of the four kinds
FILE_BYTES = 1 << 20  # more than any file made here

# What Python tells its auditors while a file is read: nothing but that the file is opened.
WATCHED: list[tuple[str, tuple[object, ...]]] | None = None


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if WATCHED is not None:
        WATCHED.append((event, arguments))


sys.addaudithook(watch)


def read(path: Path) -> Contents | None:
    """The contents of `path`, None where it is refused; fails where reading does anything but read that file."""
    global WATCHED
    WATCHED = events = []
    try:
        return read_contents(path)
    except ContentsError as refusal:
        assert len(str(refusal)) < 200
        return None
    finally:
        WATCHED = None
        for event, arguments in events:
            assert (event, str(arguments[0])) == ("open", str(path))
            assert not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)


def check_sound(contents: Contents, path: Path) -> None:
    """Names and metadata are text, shapes are shapes, and every number that is said to lie in the file does."""
    json.dumps([list(contents.tensors), contents.metadata], ensure_ascii=False).encode("utf8")
    assert {type(value) for value in contents.metadata.values()} <= {str}
    with Numbers() as numbers:
        for name, tensor in contents.tensors.items():
            assert type(name) is str and type(tensor.dtype) is str and tensor.file == str(path)
            assert all(type(size) is int and 0 <= size < 2**63 for size in tensor.shape)
            assert math.prod(tensor.shape) < 2**63
            if tensor.offset is not None and tensor.dtype in READABLE:
                assert tensor.offset >= 0
                assert len(numbers.read(tensor)) == math.prod(tensor.shape) < FILE_BYTES


def tensors() -> dict[str, torch.Tensor]:
    return {
        f"model.{i}.weight": torch.randn(2, 3).to(dtype) for i, dtype in enumerate((torch.float16, torch.bfloat16) * 3)
    }


def saved(thing: object, **options: object) -> bytes:
    out = io.BytesIO()
    torch.save(thing, out, **options)
    return out.getvalue()


def zipped(pickled: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    """A checkpoint with this as its data.pkl, and two storages."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in (
            ("data.pkl", pickled),
            ("byteorder", b"little"),
            ("data/0", bytes(99)),
            ("data/1", bytes(99)),
        ):
            archive.writestr(f"archive/{name}", data)
    return out.getvalue()


# Mutations

ODD = [
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
]


def mutated(random: random.Random, data: bytes) -> bytes:
    """`data` with one to six of the changes that fuzzers make: bits, numbers, and pieces cut, doubled and moved."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        at, length = random.randrange(len(out) + 1), min(random.choice((1, 2, 4, 8, 30, 300)), len(out))
        piece = out[at : at + length]
        kind = random.randrange(7)
        if kind == 0 and piece:
            out[at] ^= 1 << random.randrange(8)
        elif kind == 1 and piece:
            out[at] = random.randrange(256)
        elif kind == 2:
            width = random.choice((1, 2, 4, 8))
            out[at : at + width] = (random.choice(ODD) % 256**width).to_bytes(width, random.choice(("little", "big")))
        elif kind == 3:
            del out[at : at + length]
        elif kind == 4:
            out[at:at] = piece
        elif kind == 5:
            other = random.randrange(len(out) + 1)
            out[other:other] = piece
        elif kind == 6 and random.random() < 0.2:
            del out[at:]
    return bytes(out)


def of_length(text: bytes, data: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text + data


JSON_PIECES = [
    "0", "-1", "1.5", "1e999", "NaN", "true", "null", '""', "[]", "{}", "[[]]", '"F32"', '"x"', '{"dtype":"F32"}', ",",
    ":", "}", "]", '"\\ud800"', '"\\u003a"', "9" * 30, "9" * 5000, "[" * 2000, '{"a":' * 2000, "18446744073709551616",
    '"x":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},', '"__metadata__":{"a":"b"},',
]  # fmt: skip


def json_mutated(random: random.Random, text: bytes) -> bytes:
    """A header with tokens replaced, dropped, doubled and put in."""
    tokens = re.findall(rb'"[^"]*"|[\w.+-]+|.', text)
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(tokens))
        piece = random.choice([random.choice(JSON_PIECES).encode(), random.choice(tokens)])
        tokens[at : at + random.randrange(2)] = random.choice(([piece], [piece], []))
    return b"".join(tokens)


NAMES = [
    b"torch._utils\n_rebuild_tensor_v2", b"torch._utils\n_rebuild_tensor_v3", b"torch._utils\n_rebuild_parameter",
    b"torch\nFloatStorage", b"torch\nSize", b"collections\nOrderedDict", b"torch._tensor\n_rebuild_from_type_v2",
    b"os\nsystem", b"builtins\nexec", b"builtins\neval", b"subprocess\nPopen", b"clip_skip_canary\nf",
]  # fmt: skip
TEXTS = [b"storage", b"0", b"1", b"cpu", b"state_dict", b"x", b"touch canary", b"os", b"system", "é".encode(), b"\xff"]
OPCODES = [opcode for opcode in pickletools.opcodes if opcode.name != "STOP"]
# So that a program goes on for some time before it fails, as programs of opcodes at random don't.
USUAL = [opcode for opcode in OPCODES if opcode.name in {
    "MARK", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE", "EMPTY_DICT", "EMPTY_LIST", "SETITEM", "SETITEMS",
    "BINUNICODE", "BININT1", "GLOBAL", "REDUCE", "BINPERSID", "BINPUT", "BINGET", "NEWFALSE", "APPEND", "MEMOIZE",
}]  # fmt: skip


def instruction(random: random.Random, opcode: pickletools.OpcodeInfo) -> bytes:
    """The opcode with some argument that it can have."""
    code = opcode.code.encode("latin1")
    if opcode.arg is None:
        return code
    if opcode.name in ("GLOBAL", "INST"):
        return code + random.choice(NAMES) + b"\n"
    size = opcode.arg.n
    if size == pickletools.UP_TO_NEWLINE:
        return code + random.choice([b"0", b"1", b"01", b"-5", b"5L", b"1.5", b"'x'", b"x", b"9" * 5000, b""]) + b"\n"
    if size < 0:
        width = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT8U: 8}.get(size, 4)
        text = random.choice(TEXTS)
        length = random.choice(ODD) % 256**width if random.random() < 0.05 else len(text)
        return code + length.to_bytes(width, "little") + text
    return code + random.choice([random.randrange(4), random.choice(ODD) % 256**size]).to_bytes(size, "little")


def pieces(pickled: bytes) -> list[bytes]:
    """The instructions of the first pickle in `pickled`."""
    positions = [position for _, _, position in pickletools.genops(pickled)]
    return [pickled[begin:end] for begin, end in pairwise([*positions, positions[-1] + 1])]


def pickle_mutated(random: random.Random, pickled: bytes) -> bytes:
    """A pickle with instructions replaced, dropped, doubled and put in."""
    program = pieces(pickled)[:-1]
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        at = random.randrange(len(program) + 1)
        new = [
            instruction(random, random.choice(random.choice((OPCODES, USUAL))))
            for _ in range(random.choice((0, 1, 1, 4)))
        ]
        program[at : at + random.choice((0, 1, 1, 3))] = new + program[at : at + random.choice((0, 0, 5))]
    return b"".join(program) + b"."


def safetensors_case(folder: Path) -> Callable[[random.Random], bytes]:
    save_file(tensors(), folder / "seed", {"format": "pt", "ss_tag": '{"a": "b\\u00e9:"}'})
    seed = (folder / "seed").read_bytes()
    length = 8 + int.from_bytes(seed[:8], "little")

    def case(random: random.Random) -> bytes:
        if random.random() < 0.3:
            return mutated(random, seed)
        change = random.choice((mutated, json_mutated, json_mutated))
        return of_length(change(random, seed[8:length]), seed[length:])

    return case


def zip_case(folder: Path) -> Callable[[random.Random], bytes]:
    seeds = [saved(tensors()), saved({"state_dict": tensors(), "epoch": 3})]
    pickles = [zipfile.ZipFile(io.BytesIO(seed)).read("archive/data.pkl") for seed in seeds]
    pickles.append(pickle.dumps({"state_dict": {"x": [1, (2.5, "y"), {3}, b"z", 2**70]}, "more": OPCODES[:3]}, 4))

    def case(random: random.Random) -> bytes:
        if random.random() < 0.3:
            return mutated(random, random.choice(seeds))
        change = random.choice((mutated, pickle_mutated, pickle_mutated))
        return zipped(change(random, random.choice(pickles)), random.choice((0, 0, 0, zipfile.ZIP_DEFLATED)))

    return case


def stream_case(folder: Path) -> Callable[[random.Random], bytes]:
    seed = saved({"state_dict": tensors(), "epoch": 3}, _use_new_zipfile_serialization=False)
    ends = [0]
    for _ in range(5):
        ends.append(ends[-1] + sum(map(len, pieces(seed[ends[-1] :]))))

    def case(random: random.Random) -> bytes:
        if random.random() < 0.3:
            return mutated(random, seed)
        if random.random() < 0.2:
            program = [instruction(random, random.choice(USUAL)) for _ in range(random.randrange(60))]
            return b"\x80\x02" + b"".join(program) + b"."
        which = random.randrange(1, 5)
        change = random.choice((mutated, pickle_mutated, pickle_mutated))
        return seed[: ends[which]] + change(random, seed[ends[which] : ends[which + 1]]) + seed[ends[which + 1] :]

    return case


def gguf_case(folder: Path) -> Callable[[random.Random], bytes]:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    keys = {"general.architecture": "sd1", "general.alignment": 32, "comfy": 1.5}
    write_gguf(folder / "seed", {"x": x, "quantised": ("Q8_0", (4, 32)), "half": x.astype("f2"), "b": bf16(x)}, keys)
    seed = (folder / "seed").read_bytes()
    array = struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, 8, 2) + struct.pack("<QQ", 0, 0)
    numbers = struct.pack("<Q", 23) + b"comfy.gguf.orig_shape.x" + struct.pack("<IIQ2i", 9, 5, 2, 3, 2)
    seeds = [seed, seed[:8] + struct.pack("<QQ", 4, 5) + array + numbers + seed[24:]]

    def case(random: random.Random) -> bytes:
        changed = mutated(random, random.choice(seeds)[: random.choice((300, None))])
        return changed if random.random() < 0.2 else b"GGUF" + changed[4:]

    return case


@pytest.mark.parametrize("make", [safetensors_case, zip_case, stream_case, gguf_case])
def test_mutations_are_read_or_refused(tmp_path, monkeypatch, make):
    """Some of each kind must be read, or the mutations would test the first check only."""
    (tmp_path / "clip_skip_canary.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    case, path = make(tmp_path), tmp_path / "case"
    path.write_bytes(zipped(b"."))
    with pytest.raises(ContentsError):
        read_contents(path)  # so that every module is imported before Python is watched
    accepted = 0
    for seed in range(CASES):
        path.write_bytes(case(random.Random(f"{make.__name__} {seed}")))
        try:
            contents = read(path)
            if contents:
                accepted += 1
                check_sound(contents, path)
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
    assert CASES * 0.05 < accepted < CASES * 0.95
    assert not (tmp_path / "canary").exists()
    assert "clip_skip_canary" not in sys.modules


# Nothing is executed


class Runs:
    """A pickle of it runs what it was given."""

    def __init__(self, *reduced: object):
        self.reduced = reduced

    def __reduce__(self) -> tuple[object, ...]:
        return self.reduced


class Canary:
    """Writes the canary whichever way it is brought to life."""

    def __new__(cls, *arguments: object, **keywords: object) -> Canary:
        Path("canary").touch()
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        Path("canary").touch()

    def __setitem__(self, key: object, value: object) -> None:
        Path("canary").touch()


HERE = Canary.__module__.encode()
TOUCH = b"import pathlib; pathlib.Path('canary').touch()"
GLOBAL = b"c" + HERE + b"\nCanary\n"


def long_text(text: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text


EXECUTING = {
    "REDUCE os.system": pickle.dumps(Runs(os.system, ("touch canary",)), 2),
    "REDUCE builtins.exec": pickle.dumps(Runs(builtins.exec, (TOUCH.decode(),)), 4),
    "REDUCE inside the model": pickle.dumps({"state_dict": {"x": Runs(builtins.exec, (TOUCH.decode(),))}}, 2),
    "REDUCE as a key": b"\x80\x02}cbuiltins\nexec\n(" + long_text(TOUCH) + b"tRNs.",
    "REDUCE class": b"\x80\x02" + GLOBAL + b")R.",
    "GLOBAL imports": b"\x80\x02cclip_skip_canary\nf\n.",
    "STACK_GLOBAL": b"\x80\x04" + b"".join(b"\x8c" + bytes([len(t)]) + t for t in (HERE, b"Canary")) + b"\x93)R.",
    "INST": b"\x80\x02(i" + HERE + b"\nCanary\n.",
    "INST with arguments": b"\x80\x02(" + long_text(TOUCH) + b"ibuiltins\nexec\n.",
    "OBJ": b"\x80\x02(" + GLOBAL + b"N" + b"o.",
    "NEWOBJ": b"\x80\x02" + GLOBAL + b")\x81.",
    "NEWOBJ_EX": b"\x80\x04" + GLOBAL + b")}\x92.",
    "BUILD": b"\x80\x02" + b"c" + HERE + b"\nPLAIN\n}" + long_text(b"a") + b"K\x01sb.",
    "SETITEM": b"\x80\x02" + b"c" + HERE + b"\nPLAIN\n" + b"NNs.",
    "EXT1": b"\x80\x02\x82\xf0)R.",
    "EXT2": b"\x80\x02\x83\xf0\x00)R.",
    "EXT4": b"\x80\x02\x84\xf0\x00\x00\x00)R.",
}
PLAIN = object.__new__(Canary)


@pytest.fixture
def extension_code():
    copyreg.add_extension(Canary.__module__, "Canary", 0xF0)
    yield
    copyreg.remove_extension(Canary.__module__, "Canary", 0xF0)


@pytest.mark.parametrize("name", EXECUTING)
@pytest.mark.parametrize("wrap", [lambda pickled: pickled, zipped])
def test_what_unpickling_would_execute_is_not(tmp_path, monkeypatch, extension_code, name, wrap):
    (tmp_path / "clip_skip_canary.py").write_text("open('canary', 'w').close()\nf = print")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "clip_skip_canary", raising=False)
    path = tmp_path / "hostile.ckpt"
    path.write_bytes(wrap(EXECUTING[name]))
    with pytest.raises(ContentsError):
        read_contents(path)  # once unwatched, for its imports
    assert read(path) is None
    assert not (tmp_path / "canary").exists()
    pickle.loads(EXECUTING[name])  # and unpickling does
    assert (tmp_path / "canary").exists()


# Bounds


def many(opcodes: bytes, count: int = MAX_OPCODES, before: bytes = b"", after: bytes = b"") -> bytes:
    return b"\x80\x02" + before + opcodes * count + after + b"."


def gguf(tensors: int, keys: int, rest: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + rest


def view(shape: bytes) -> bytes:
    """The opcodes of a tensor, given those that push its shape."""
    storage = b"(" + long_text(b"storage") + b"ctorch\nFloatStorage\n" + long_text(b"0") + long_text(b"cpu")
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\1tQK\0" + shape + b"(K\1t\x89}tR"


VIEW = view(b"(K\1t") + b"q\1"


def doubled(levels: int) -> bytes:
    """A dict with twice the dict below, and so on, down to a tensor: 2**levels of them."""
    below = VIEW
    for level in range(levels):
        put = b"q" + bytes([level + 2])
        get = b"h" + bytes([level + 1])
        below += b"0}" + long_text(b"a") + get + b"s" + long_text(b"b") + get + b"s" + put
    return b"\x80\x02" + below + b"."


BOMBS: dict[str, Callable[[], bytes]] = {
    "a header of empty lists": lambda: of_length(b'{"a":[' + b"[]," * 33_000_000 + b"[]]}", b""),
    "a header of empty lists, as many as may be": lambda: of_length(b'{"a":[' + b"[]," * 999_999 + b"[]]}", b""),
    "a header of short names": lambda: of_length(b"{" + b",".join(b'"%x":{}' % i for i in range(999_999)) + b"}", b""),
    "a header of one long text": lambda: of_length(b'{"__metadata__":{"a":"' + b"x" * 99_000_000 + b'"}}', b""),
    "a header nested deeply": lambda: of_length(b'{"a":' + b"[" * 99_000_000, b""),
    "a header of digits": lambda: of_length(b'{"a":' + b"9" * 99_000_000 + b"}", b""),
    "a header of numbers just too long": lambda: of_length(b'{"a":[' + (b"9" * 4001 + b",") * 20_000 + b"1]}", b""),
    "a header of colons and escapes": lambda: of_length(b'{"a":"' + b"\\u003a:" * 14_000_000 + b'"}', b""),
    "empty dicts": lambda: many(b"}", MAX_OPCODES - 2),
    "dicts of one": lambda: many(b"}K\1Ns", MAX_OPCODES // 4 - 2),
    "too many opcodes": lambda: many(b"}", 30_000_000),
    "marks": lambda: many(b"("),
    "lists in lists": lambda: many(b"]", MAX_OPCODES // 2 - 2, after=b"a" * (MAX_OPCODES // 2 - 3)),
    "tuples in tuples": lambda: many(b"\x85", before=b")", count=MAX_OPCODES - 10),
    "a list that holds itself": lambda: many(b"h\0a", MAX_OPCODES // 2 - 5, before=b"]q\0"),
    "a huge list, copied": lambda: many(
        b"ccollections\nOrderedDict\nh\0\x85R0", 250_000, b"]q\0(" + b"]" * 500_000 + b"e"
    ),
    "memos": lambda: many(b"\x94", before=b"N", count=MAX_OPCODES - 10),
    "one long text": lambda: b"\x80\x02" + long_text("😀".encode() + b"x" * (31 << 20)) + b".",
    "a text as name, again and again": lambda: many(
        b"}h\0h\1sq\2", 300_000, VIEW + b"0" + long_text(b"x" * (1 << 20)) + b"q\0"
    ),
    "a whole number of a megabyte": lambda: b"\x80\x02"
    + b"\x8b"
    + struct.pack("<I", 1 << 24)
    + b"x" * (1 << 24)
    + b".",
    "a decimal number of a megabyte": lambda: b"\x80\x02I" + b"9" * (1 << 24) + b"\n.",
    "a memo of a megabyte": lambda: b"\x80\x02Np" + b"9" * (1 << 24) + b"\n.",
    "doubled dicts, deep": lambda: doubled(100),
    "doubled dicts": lambda: doubled(7),
    "a shape of 900,000 dimensions, shared": lambda: (
        b"\x80\2("
        + b"K\1" * 900_000
        + b"tq\2}"
        + b"".join(long_text(b"%d" % i) + view(b"h\2") + b"s" for i in range(50_000))
        + b"."
    ),
    "a zip bomb": lambda: zipped(many(b"}", 100 << 20), zipfile.ZIP_DEFLATED),
    "a zip with a directory of 400,000": lambda: zip_directory(400_000),
    "a zip with a directory of 100,000": lambda: zip_directory(100_000),
    "keys without end": lambda: gguf(0, 100_000, (struct.pack("<Q", 1) + b"a" + struct.pack("<IB", 0, 1)) * 100_000),
    "long texts": lambda: gguf(
        0, 99, (struct.pack("<Q", 1) + b"a" + struct.pack("<IQ", 8, 1 << 20) + bytes(1 << 20)) * 99
    ),
    "an array of texts": lambda: gguf(0, 1, struct.pack("<QIIQ", 0, 9, 8, 1_000_000) + bytes(8_000_000)),
    "arrays of texts": lambda: gguf(0, 9, struct.pack("<QIIQ", 0, 9, 8, 1_000_000) * 9 + bytes(8_000_000)),
    "an array of 2**60": lambda: gguf(0, 1, struct.pack("<QIIQ", 0, 9, 12, 1 << 60)),
    "tensors without end": lambda: gguf(
        200_000,
        0,
        b"".join(struct.pack("<Q", 6) + b"%06d" % i + struct.pack("<IQIQ", 1, 1, 0, 0) for i in range(200_000)),
    ),
}


def zip_directory(members: int) -> bytes:
    """A zip archive of which only the directory is there."""
    entry = b"PK\1\2" + bytes(24) + struct.pack("<HHHHHII", 8, 0, 0, 0, 0, 0, 0)
    directory = b"".join(entry + b"%08d" % i for i in range(members))
    end64 = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, members, members, len(directory), 4)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, 4 + len(directory), 1)
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    return b"PK\3\4" + directory + end64 + locator + end


# Reads each file that it is told in a process of its own, forked off so that nothing need be imported again.
MEASURE = """
import json, os, re, sys
from clip_skip.models.inspect.formats import diffusers, gguf, pickles, safetensors
from clip_skip.models.inspect.formats.contents import ContentsError
from clip_skip.models.inspect.formats.reader import read_contents
for line in sys.stdin:
    if not os.fork():
        try:
            said = str(len(read_contents(line.strip()).tensors))
        except ContentsError as refusal:
            said = str(refusal)
        peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
        print(json.dumps([said, int(peak[1]) / 1024]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def measured():
    """A function that gives what reading a file says, and the megabytes it takes."""
    command, root = [sys.executable, "-c", MEASURE], Path(__file__).parents[2]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:

        def measure(path: Path) -> tuple[str, float]:
            process.stdin.write(f"{path}\n")
            return tuple(json.loads(process.stdout.readline()))

        yield measure
        process.stdin.close()


@pytest.mark.parametrize("name", BOMBS)
def test_the_worst_that_can_be_asked_for_is_bounded(tmp_path, measured, name):
    """600 MB at most, of which a header itself may be 200 (as bytes and as text)."""
    (tmp_path / "bomb").write_bytes(BOMBS[name]())
    said, megabytes = measured(tmp_path / "bomb")
    print(f"{name}: {megabytes:.0f} MB, {said}")
    assert megabytes < 600
