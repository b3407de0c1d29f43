"""Writes model files of every format for tests: tensors given as arrays are written, ones given by shape are holes.

A tensor is an array, `(dtype, shape)` or `(dtype, array)` with the dtype's safetensors name; the last is for types that
numpy lacks, such as `bf16(array)`. A hole reads as zeros and takes no disk, so a file may be as long as a real model.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

NAMES = {
    "f8": "F64",
    "f4": "F32",
    "f2": "F16",
    "i8": "I64",
    "i4": "I32",
    "i2": "I16",
    "i1": "I8",
    "u1": "U8",
    "b1": "BOOL",
}
BITS = {
    **{"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8},
    **{"F8_E4M3": 8, "F8_E5M2": 8, "F4": 4},
}
GGML = {"F32": (0, 32), "F16": (1, 16), "BF16": (30, 16), "Q8_0": (8, 8.5), "Q4_0": (2, 4.5)}  # type's number, bits


def bf16(array: np.ndarray) -> tuple[str, np.ndarray]:
    """The array in BF16, rounded to nearest even, as a tensor for the writers below."""
    bits = np.ascontiguousarray(array, "<f4").view("<u4")
    return "BF16", ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def safetensors_header(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """The length and the JSON that begin such a file."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    end = 0
    for name, tensor in tensors.items():
        dtype, shape, size, _ = _parts(tensor)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def write_safetensors(
    path: Path | str,
    tensors: Mapping[str, Any],
    metadata: Mapping[str, str] | None = None,
    sparse_to: int | None = None,
) -> Path:
    """Writes a safetensors file, made at least `sparse_to` bytes long by a hole at its end."""
    with open(path, "wb") as file:
        file.write(safetensors_header(tensors, metadata))
        _write_data(file, tensors.values())
        if sparse_to is not None and sparse_to > file.tell():
            file.truncate(sparse_to)
    return Path(path)


def write_checkpoint(
    path: Path | str, tensors: Mapping[str, Any], key: str | None = "state_dict", zipped: bool = True, **extra: Any
) -> Path:
    """Writes a `.ckpt` by torch.save: `{key: tensors, **extra}`, the tensors alone where `key` is None.

    A tensor given by shape is saved as one number repeated (stride 0): the right shape, but no numbers in place.
    """
    import torch

    state = {name: _torch_tensor(tensor) for name, tensor in tensors.items()}
    saved = {**state, **extra} if key is None else {key: state, **extra}
    torch.save(saved, path, _use_new_zipfile_serialization=zipped)
    return Path(path)


def write_gguf(
    path: Path | str,
    tensors: Mapping[str, Any],
    metadata: Mapping[str, str | int | float] | None = None,
    version: int = 3,
) -> Path:
    """Writes a GGUF file; metadata values are strings, ints (u32) or floats (f32). Types: see GGML."""
    out = [b"GGUF", struct.pack("<IQQ", version, len(tensors), len(metadata or {}))]
    for name, value in (metadata or {}).items():
        kind = {str: 8, int: 4, float: 6}[type(value)]
        packed = _gguf_string(value) if isinstance(value, str) else struct.pack("<I" if kind == 4 else "<f", value)
        out += [_gguf_string(name), struct.pack("<I", kind), packed]
    offset = 0
    for name, tensor in tensors.items():
        dtype, shape, _, _ = _parts(tensor)
        number, bits = GGML[dtype]
        dims = struct.pack(f"<{len(shape)}Q", *reversed(shape))
        out += [_gguf_string(name), struct.pack("<I", len(shape)), dims, struct.pack("<IQ", number, offset)]
        offset += _aligned(int(np.prod(shape, dtype=object) * bits) // 8)
    with open(path, "wb") as file:
        file.write(b"".join(out))
        file.truncate(_aligned(file.tell()))
        file.seek(0, 2)
        _write_data(file, tensors.values(), align=32)
    return Path(path)


def write_diffusers(
    folder: Path | str,
    class_name: str,
    configs: Mapping[str, Mapping[str, Any]],
    tensors: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Writes a diffusers folder: each component's config.json, and its weights where `tensors` names it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index: dict[str, Any] = {"_class_name": class_name, "_diffusers_version": "0.30.0"}
    for name in {**configs, **(tensors or {})}:
        of_transformers = name.startswith(("text_encoder", "image_encoder"))
        index[name] = ["transformers", "CLIPTextModel"] if of_transformers else ["diffusers", "UNet2DConditionModel"]
        (folder / name).mkdir(exist_ok=True)
        if name in configs:
            (folder / name / "config.json").write_text(json.dumps(configs[name]), encoding="utf8")
        if tensors and name in tensors:
            file = "model.safetensors" if of_transformers else "diffusion_pytorch_model.safetensors"
            write_safetensors(folder / name / file, tensors[name])
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf8")
    return folder


def _parts(tensor: Any) -> tuple[str, tuple[int, ...], int, np.ndarray | None]:
    """A tensor's dtype, shape, bytes and numbers."""
    dtype, data = tensor if isinstance(tensor, tuple) else (NAMES[np.dtype(tensor.dtype).str[1:]], tensor)
    if isinstance(data, np.ndarray):
        return dtype, data.shape, data.nbytes, data
    bits = BITS[dtype] if dtype in BITS else GGML[dtype][1]
    return dtype, tuple(data), int(np.prod(data, dtype=object) * bits) // 8, None


def _write_data(file: IO[bytes], tensors: Iterable[Any], align: int = 1) -> None:
    for tensor in tensors:
        _, _, size, data = _parts(tensor)
        end = file.tell() + _aligned(size, align)
        if data is not None:
            file.write(np.ascontiguousarray(data).astype(data.dtype.newbyteorder("<"), copy=False).tobytes())
        file.truncate(end)
        file.seek(end)


def _torch_tensor(tensor: Any) -> Any:
    import torch

    dtype, shape, _, data = _parts(tensor)
    if data is not None and dtype == "BF16":
        return torch.from_numpy(data.view("<i2").copy()).view(torch.bfloat16)
    if data is not None:
        return torch.from_numpy(data.copy())
    kinds = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    kinds |= {"I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "I8": torch.int8, "BOOL": torch.bool}
    return torch.zeros(1, dtype=kinds[dtype]).expand(shape)


def _gguf_string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _aligned(size: int, align: int = 32) -> int:
    return size + -size % align
