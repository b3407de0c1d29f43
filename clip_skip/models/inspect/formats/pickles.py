"""Checkpoints written by torch.save: their tensors' names and shapes, from the pickle's opcodes, without unpickling it.

A pickle is a program for a stack machine. The machine here is symbolic: it imports nothing and calls nothing. It knows
the containers and the few functions that a state dict is made of, and takes whatever else a pickle makes for OPAQUE.
https://docs.python.org/3/library/pickletools.html describes each opcode.
"""

from __future__ import annotations

import os
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from .contents import READABLE, Contents, ContentsError, Tensor, check_shapes
from .safetensors import BITS

# Each bounds memory; real checkpoints stay far below (an SD1 model: 250 KB, 45,000 opcodes, 1,131 storages).
MAX_PICKLE_BYTES = 32 << 20
MAX_OPCODES = 2_000_000
MAX_DIRECTORY_BYTES = 8 << 20  # of a zip file, some 100 bytes a member
MAX_NODES = 200_000  # looked at in the nested dicts
MAX_NESTING = 8
MAX_NAME = 500
MAX_METADATA = 1000
MAX_METADATA_VALUE = 10_000

# Where a training program's checkpoint has the model.
_WRAPPED = ("state_dict", "model")

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C

# What torch calls its types, as storages and as dtypes.
_DTYPES = {
    **{"torch.DoubleStorage": "F64", "torch.FloatStorage": "F32", "torch.HalfStorage": "F16"},
    **{"torch.BFloat16Storage": "BF16", "torch.ComplexFloatStorage": "C64", "torch.BoolStorage": "BOOL"},
    **{"torch.LongStorage": "I64", "torch.IntStorage": "I32", "torch.ShortStorage": "I16"},
    **{"torch.CharStorage": "I8", "torch.ByteStorage": "U8"},
    **{"torch.uint16": "U16", "torch.uint32": "U32", "torch.uint64": "U64"},
    **{"torch.float8_e4m3fn": "F8_E4M3", "torch.float8_e5m2": "F8_E5M2", "torch.float8_e8m0fnu": "F8_E8M0"},
    **{"torch.float8_e4m3fnuz": "F8_E4M3FNUZ", "torch.float8_e5m2fnuz": "F8_E5M2FNUZ"},
}


def read_zip(file: BinaryIO, path: str) -> Contents:
    """The contents of the checkpoint `path`, a zip archive open as `file`. Raises ContentsError."""
    try:
        bounded = _Bounded(file)
        with zipfile.ZipFile(bounded) as archive:  # type: ignore[call-overload]
            return _read_archive(archive, bounded, path)
    except ContentsError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError, struct.error) as error:
        raise ContentsError(f"a broken zip archive: {str(error)[:80]}") from error


def _read_archive(archive: zipfile.ZipFile, file: _Bounded, path: str) -> Contents:
    members = {info.filename: info for info in archive.infolist()}
    name = next((name for name in members if re.fullmatch(r"([^/]*/)?data\.pkl", name)), None)
    if name is None:
        raise ContentsError("a zip archive, but none written by torch.save (it has no data.pkl)")
    folder = name[: -len("data.pkl")]
    machine = Machine(_member(archive, members[name]))
    top = machine.run()
    order = members.get(f"{folder}byteorder")
    little = order is None or _member(archive, order) == b"little"
    stored = {key: members.get(f"{folder}data/{key}") for key in machine.storages} if little else {}
    return _contents(top, {key: _place(file, info) for key, info in stored.items() if info}, path)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's content, as far as it's bounded: what the archive says of its size may be wrong."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others' readers are not bounded
        raise ContentsError("a zip archive compressed in a way that torch does not use")
    with archive.open(info) as member:
        data = member.read(MAX_PICKLE_BYTES + 1)
    if len(data) > MAX_PICKLE_BYTES:
        raise ContentsError(f"its pickle is over {MAX_PICKLE_BYTES} bytes long")
    return data


def read_stream(file: BinaryIO, path: str) -> Contents:
    """The contents of the checkpoint `path` in torch's format of before 1.6, open as `file`. Raises ContentsError.

    Five pickles in a row: a magic number, the version, the writer's machine, the object, its storages' keys; then
    each storage's length and data. Any other pickle is looked at alike, but is not expected to hold tensors.
    """
    machine = Machine(file.read(MAX_PICKLE_BYTES))
    top = machine.run()
    places: dict[str, tuple[int, int]] = {}
    if type(top) is int and top == _LEGACY_MAGIC:
        machine.run()
        system = machine.run()
        top = machine.run()
        keys = machine.run()
        if type(keys) is list and type(system) is dict and system.get("little_endian") is True:
            places = _places_in_stream(file, machine, keys)
    return _contents(top, places, path)


class _Bounded:
    """A file for zipfile, which believes what an archive says: a read without bound or at a place before the file."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.tell, self.seekable, self.fileno = file.tell, file.seekable, file.fileno

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and offset < 0:
            raise ContentsError("a broken zip archive: a member begins before the file")
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size if 0 <= size <= MAX_DIRECTORY_BYTES else MAX_DIRECTORY_BYTES + 1)
        if len(data) > MAX_DIRECTORY_BYTES:
            raise ContentsError(f"a zip archive with a directory of over {MAX_DIRECTORY_BYTES} bytes")
        return data


class _Opaque:
    """What the machine knows nothing of."""


class _Global(NamedTuple):
    """A class or function, never imported: only its name."""

    name: str


class _Storage(NamedTuple):
    """Numbers that lie elsewhere in the file."""

    dtype: str
    key: str


class _View(NamedTuple):
    """A tensor: what it shows of a storage, in numbers from the storage's begin."""

    dtype: str
    storage: str
    first: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


OPAQUE = _Opaque()


class Machine:
    """Walks over the pickles in `data` one after the other, executing nothing."""

    def __init__(self, data: bytes):
        self.position = 0
        self.storages: dict[str, str] = {}  # the dtype of each storage that was named, by its key
        self._data = data
        self._opcodes_left = MAX_OPCODES

    def run(self) -> object:
        """What the next pickle makes: scalars, lists, tuples, dicts, `_View`s and OPAQUE. Raises ContentsError.

        Lists and dicts may contain themselves, and hold the same thing any number of times.
        """
        self._stack: list[object] = []
        self._below: list[list[object]] = []  # the stacks under each mark
        self._memo: dict[int, object] = {}
        try:
            while True:
                code = self._data[self.position]
                _, decode, act, opcode = _TABLE[code]
                argument = self._argument(code)
                if decode:
                    self._stack.append(decode(argument))
                elif act:
                    act(self, argument)
                elif opcode.name == "STOP":
                    return self._stack.pop()
                else:
                    self._unknown(opcode)
        except (IndexError, KeyError, ValueError) as error:
            if isinstance(error, ContentsError):
                raise
            raise ContentsError("a broken pickle, or one that is cut off") from error

    def _argument(self, code: int) -> bytes:
        """The bytes that belong to the opcode at the position, which moves on behind them.

        `pickletools.genops` has no such bounds: it makes whole numbers of however many digits they have, in quadratic
        time before Python 3.10.7, and it stops at any text that is not flawless, a tensor's name or not.
        """
        self._opcodes_left -= 1
        if self._opcodes_left < 0:
            raise ContentsError(f"a pickle of over {MAX_OPCODES} opcodes")
        data, begin = self._data, self.position + 1
        size = _TABLE[code][0]
        if size == pickletools.UP_TO_NEWLINE:
            end = data.index(b"\n", begin)
            if _TABLE[code][3].name in ("GLOBAL", "INST"):  # two lines
                end = data.index(b"\n", end + 1)
            self.position = end + 1
            return data[begin:end]
        if size < 0:
            prefix = _LENGTH_BYTES[size]
            size = int.from_bytes(data[begin : begin + prefix], "little")
            begin += prefix
        self.position = begin + size
        if self.position > len(data):
            raise IndexError
        return data[begin : begin + size]

    def _unknown(self, opcode: pickletools.OpcodeInfo) -> None:
        """Takes from the stack what the opcode takes, and leaves something opaque for whatever it makes."""
        takes = list(opcode.stack_before)
        if pickletools.stackslice in takes:
            self._to_mark()
            takes = takes[: takes.index(pickletools.markobject)]
        for _ in takes:
            self._stack.pop()
        self._stack += [OPAQUE] * len(opcode.stack_after)

    def _to_mark(self) -> list[object]:
        above, self._stack = self._stack, self._below.pop()
        return above

    def _mark(self, _: bytes) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _pop(self, _: bytes) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._to_mark()  # as pickle does

    def _pop_mark(self, _: bytes) -> None:
        self._to_mark()

    def _tuple(self, _: bytes) -> None:
        items = tuple(self._to_mark())
        self._stack.append(items)

    def _list(self, _: bytes) -> None:
        items = self._to_mark()
        self._stack.append(items)

    def _dict(self, _: bytes) -> None:
        items = self._to_mark()
        self._stack.append(_filled({}, items))

    def _short_tuple(self, count: int) -> None:
        items = tuple(self._stack[-count:])
        if len(items) < count:
            raise IndexError
        del self._stack[-count:]
        self._stack.append(items)

    def _append(self, _: bytes) -> None:
        item = self._stack.pop()
        if type(self._stack[-1]) is list:
            self._stack[-1].append(item)

    def _appends(self, _: bytes) -> None:
        items = self._to_mark()
        if type(self._stack[-1]) is list:
            self._stack[-1].extend(items)

    def _setitem(self, _: bytes) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        _filled(self._stack[-1], [key, value])

    def _setitems(self, _: bytes) -> None:
        items = self._to_mark()
        _filled(self._stack[-1], items)

    def _put(self, argument: bytes) -> None:
        self._memo[_index(argument)] = self._stack[-1]

    def _binput(self, argument: bytes) -> None:
        self._memo[int.from_bytes(argument, "little")] = self._stack[-1]

    def _memoize(self, _: bytes) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _get(self, argument: bytes) -> None:
        self._stack.append(self._memo[_index(argument)])

    def _binget(self, argument: bytes) -> None:
        self._stack.append(self._memo[int.from_bytes(argument, "little")])

    def _stack_global(self, _: bytes) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        known = type(name) is str and type(module) is str and len(name) + len(module) <= MAX_NAME
        self._stack.append(_Global(f"{module}.{name}") if known else OPAQUE)

    def _reduce(self, _: bytes) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        self._stack.append(_result(function, arguments))

    def _binpersid(self, _: bytes) -> None:
        """("storage", type, key, device, length), and in the old format what it shows of another storage."""
        self._stack.append(self._storage(self._stack.pop()))

    def _storage(self, id: object) -> _Storage | _Opaque:
        if type(id) is not tuple or len(id) < 5 or type(id[1]) is not _Global or type(id[2]) is not str:
            return OPAQUE
        dtype = _DTYPES.get(id[1].name, "?")
        if len(id) > 5 and id[5] is not None:
            return _Storage(dtype, "")  # where that other one's part lies is not worth telling: torch 0.4 wrote such
        self.storages[id[2]] = dtype
        return _Storage(dtype, id[2])


def _filled(target: object, items: list[object]) -> object:
    """`target` with `items` (key, value, key, value ...), where it is a dict, and as far as keys are text or numbers.

    Other keys make no names, and to hash a hostile one could take for ever.
    """
    if type(target) is dict:
        target.update((k, v) for k, v in zip(items[::2], items[1::2], strict=True) if type(k) is str or type(k) is int)
    return target


def _result(function: object, arguments: object) -> object:
    known = _FUNCTIONS.get(function.name) if type(function) is _Global else None
    if known is None or type(arguments) is not tuple or len(arguments) < known[0]:
        return OPAQUE
    return known[1](*arguments)


def _rebuilt(storage: object, first: object, shape: object, stride: object, *more: object) -> _View | _Opaque:
    if type(storage) is _Storage and type(first) is int and type(shape) is tuple and type(stride) is tuple:
        return _View(storage.dtype, storage.key, first, shape, stride)
    return OPAQUE


def _rebuilt_v3(*arguments: object) -> _View | _Opaque:
    """A type without a storage class of its own comes with its name."""
    view, dtype = _rebuilt(*arguments), arguments[6]
    if isinstance(view, _Opaque) or type(dtype) is not _Global:
        return OPAQUE
    return view._replace(dtype=_DTYPES.get(dtype.name, "?"))


def _rebuilt_from_type(function: object, type_: object, arguments: object, *more: object) -> object:
    """A tensor of a subclass, or with attributes of its own."""
    nested = type(function) is _Global and function.name == "torch._tensor._rebuild_from_type_v2"
    return OPAQUE if nested else _result(function, arguments)


# By name: the least number of arguments, and what stands for the call.
_FUNCTIONS: dict[str, tuple[int, Callable[..., object]]] = {
    "collections.OrderedDict": (0, lambda *items: {}),  # its items follow
    "torch.Size": (1, lambda sizes, *more: sizes),
    "torch._utils._rebuild_tensor": (4, _rebuilt),
    "torch._utils._rebuild_tensor_v2": (4, _rebuilt),
    "torch._utils._rebuild_tensor_v3": (7, _rebuilt_v3),
    "torch._utils._rebuild_parameter": (1, lambda data, *more: data),
    "torch._utils._rebuild_parameter_with_state": (1, lambda data, *more: data),
    "torch._tensor._rebuild_from_type_v2": (3, _rebuilt_from_type),
}


def _index(argument: bytes) -> int:
    if len(argument) > 20:
        raise ValueError
    return int(argument)


def _integer(argument: bytes) -> object:
    """A whole number in two's complement; a huge one would only cost time."""
    return int.from_bytes(argument, "little", signed=True) if len(argument) <= 16 else OPAQUE


def _text_number(argument: bytes) -> object:
    if argument in (b"00", b"01"):
        return argument == b"01"
    return int(argument.rstrip(b"L")) if len(argument) <= 40 else OPAQUE


def _text(argument: bytes) -> str:
    return argument.decode("utf8", "replace")


def _global(argument: bytes) -> object:
    return _Global(_text(argument.replace(b"\n", b".", 1))) if len(argument) <= MAX_NAME else OPAQUE


# What an opcode pushes, from its argument.
_DECODE: dict[str, Callable[[bytes], object]] = {
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    **dict.fromkeys(("INT", "LONG"), _text_number),
    **dict.fromkeys(("BININT", "LONG1", "LONG4"), _integer),
    **dict.fromkeys(("BININT1", "BININT2"), lambda argument: int.from_bytes(argument, "little")),
    "FLOAT": lambda argument: float(argument) if len(argument) <= 40 else OPAQUE,
    "BINFLOAT": lambda argument: struct.unpack(">d", argument)[0],
    **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"), _text),
    **dict.fromkeys(("SHORT_BINSTRING", "BINSTRING"), _text),  # Python 2's
    "STRING": lambda argument: _text(argument[1:-1]),
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_LIST": lambda _: [],
    "EMPTY_DICT": lambda _: {},
    "GLOBAL": _global,
}

# What an opcode does to the machine.
_ACT: dict[str, Callable[[Machine, bytes], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "READONLY_BUFFER"), lambda machine, _: None),
    "MARK": Machine._mark,
    "POP": Machine._pop,
    "POP_MARK": Machine._pop_mark,
    "DUP": lambda machine, _: machine._stack.append(machine._stack[-1]),
    "TUPLE": Machine._tuple,
    "TUPLE1": lambda machine, _: machine._short_tuple(1),
    "TUPLE2": lambda machine, _: machine._short_tuple(2),
    "TUPLE3": lambda machine, _: machine._short_tuple(3),
    "LIST": Machine._list,
    "DICT": Machine._dict,
    "APPEND": Machine._append,
    "APPENDS": Machine._appends,
    "SETITEM": Machine._setitem,
    "SETITEMS": Machine._setitems,
    "PUT": Machine._put,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), Machine._binput),
    "MEMOIZE": Machine._memoize,
    "GET": Machine._get,
    **dict.fromkeys(("BINGET", "LONG_BINGET"), Machine._binget),
    "STACK_GLOBAL": Machine._stack_global,
    "REDUCE": Machine._reduce,
    "BUILD": lambda machine, _: machine._pop(b""),  # attributes, which the object keeps to itself
    "BINPERSID": Machine._binpersid,
}

_LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}

# By code: the argument's size, what the opcode pushes or does.
_TABLE = {
    ord(op.code): (op.arg.n if op.arg else 0, _DECODE.get(op.name), _ACT.get(op.name), op) for op in pickletools.opcodes
}


def _contents(top: object, places: Mapping[str, tuple[int, int]], path: str) -> Contents:
    """The contents of the checkpoint at `path`, which holds `top`; `places` is where its storages begin and end."""
    metadata: dict[str, str] = {}
    for _ in range(MAX_NESTING):
        if type(top) is not dict:
            break
        metadata |= _scalars(top)
        inner = next((top[key] for key in _WRAPPED if type(top.get(key)) is dict), None)
        if inner is None:
            break
        top = inner
    views = dict(_views(top))
    if not views:
        raise ContentsError("a pickle in which no tensors can be told without running it")
    check_shapes([view.shape for view in views.values()])
    tensors = {name: Tensor(v.dtype, v.shape, _offset(v, places), path) for name, v in views.items()}
    return Contents("pickle", tensors, metadata)


def _scalars(wrapper: dict[object, object]) -> dict[str, str]:
    """What a wrapper says beside the model, such as {"epoch": 3, "global_step": 1000, "state_dict": ...}."""
    found: dict[str, str] = {}
    for key, value in wrapper.items():
        if type(key) is str and len(key) <= MAX_NAME and type(value) in (str, int, float, bool):
            text = str(value)
            if len(text) <= MAX_METADATA_VALUE and len(found) < MAX_METADATA:
                found[key] = text
    return found


def _views(top: object) -> Iterator[tuple[str, _View]]:
    """The tensors in nested dicts, named as torch names nested modules' parameters."""
    todo = [("", top, 0)]
    nodes = 0
    while todo:
        name, node, depth = todo.pop()
        nodes += 1
        if nodes > MAX_NODES:
            raise ContentsError(f"a pickle with over {MAX_NODES} things in it")
        if type(node) is _View and name:
            yield name, node
        elif type(node) is dict and depth < MAX_NESTING:
            if nodes + len(todo) + len(node) > MAX_NODES:
                raise ContentsError(f"a pickle with over {MAX_NODES} things in it")
            prefix = f"{name}." if name else ""
            short = ((f"{prefix}{key}", node[key]) for key in node if len(str(key)) + len(prefix) <= MAX_NAME)
            todo += [(name, child, depth + 1) for name, child in short][::-1]


def _offset(view: _View, places: Mapping[str, tuple[int, int]]) -> int | None:
    """Where the tensor's bytes begin in the file, if they lie there in order."""
    width = READABLE.get(view.dtype)
    if width is None or view.storage not in places or len(view.stride) != len(view.shape):
        return None
    count = 1
    for size, step in zip(reversed(view.shape), reversed(view.stride), strict=True):
        if size != 1 and step != count:
            return None
        count *= size
    begin, end = places[view.storage]
    offset = begin + view.first * width
    return offset if begin <= offset <= offset + count * width <= end else None


def _place(file: _Bounded, info: zipfile.ZipInfo) -> tuple[int, int]:
    """Where a member's data begin and end in the file; nowhere if it is compressed, as torch never does."""
    file.seek(info.header_offset)
    local = file.read(30)
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or local[:4] != b"PK\3\4" or len(local) < 30:
        return 0, 0
    begin = info.header_offset + 30 + sum(struct.unpack_from("<HH", local, 26))
    return begin, min(begin + info.file_size, os.fstat(file.fileno()).st_size)


def _places_in_stream(file: BinaryIO, machine: Machine, keys: list[Any]) -> dict[str, tuple[int, int]]:
    places: dict[str, tuple[int, int]] = {}
    position, size = machine.position, os.fstat(file.fileno()).st_size
    for key in keys:
        bits = BITS.get(machine.storages.get(key, "")) if type(key) is str else None
        file.seek(position)
        count = int.from_bytes(file.read(8), "little")
        if bits is None or count > size or key in places:
            break
        places[key] = position + 8, min(position + 8 + count * bits // 8, size)
        position = places[key][1]
    return places
