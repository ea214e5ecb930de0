"""The tensors of a PyTorch file of the old kind, read without torch and without unpickling.

Such a file is four pickles (magic number, protocol version, machine, the state itself), a fifth with the keys of the
storages, and then each storage as its length and its numbers. Unpickling would run whatever code the file names. Here
the opcodes are read one by one (``pickletools``), nothing is imported or called, and the only things that are ever made
are texts, numbers, containers and arrays: a file that asks for anything else is refused.
"""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common.files import regular

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of such a file (torch's ``serialization.py``)."""
MAX_BYTES = 200_000_000
"""The largest file that is read."""

_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "HalfStorage": "<f2",
}


class TorchFileError(ValueError):
    """The file is not a PyTorch file of the old kind, or asks for more than tensors; one line that says why."""


@dataclass(frozen=True)
class _Global:
    """Something that the pickle names; never imported."""

    name: str


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: str


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(path: str | Path) -> dict[str, NDArray[Any]]:
    """Every tensor of the file by its path in it, ``model_state.lstm.weight_ih_l0`` for example.

    Raises :class:`TorchFileError`, and ``OSError`` where the file cannot be read.
    """
    with regular(path).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TorchFileError(f"larger than {MAX_BYTES} bytes")
    stream = io.BytesIO(data)
    try:
        if _value(stream) != MAGIC:
            raise TorchFileError("this is not a PyTorch file of the old kind")
        for _ in range(2):  # protocol version; machine
            _value(stream)
        state, keys = _value(stream), _value(stream)
        found = dict(_named(state))
        storages = _storages(data[stream.tell() :], keys, {t.storage.key: t.storage.dtype for t in found.values()})
        return {name: _array(tensor, storages) for name, tensor in found.items()}
    except TorchFileError:
        raise
    except Exception as error:  # damaged in whatever way: an index, a struct, a type that does not fit
        raise TorchFileError(f"damaged ({type(error).__name__}: {error})") from error


def _value(stream: io.BytesIO) -> Any:
    """The value of one pickle, by the opcodes that tensors need; the stream stands behind it afterwards."""
    machine = _Machine()
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "STOP":
            break
        step = getattr(machine, f"do_{opcode.name}", None)
        if step is not None:
            step(argument)
        elif opcode.name in _CONSTANTS:
            machine.stack.append(_CONSTANTS[opcode.name])
        elif opcode.name in _LITERALS:
            machine.stack.append(argument)
        else:
            raise TorchFileError(f"it uses {opcode.name}, which no file of tensors needs")
    (value,) = machine.stack
    return value


_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"}
_MARK = object()


class _Machine:
    """The stack and memo of a pickle; one method an opcode, named after it."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def _to_mark(self) -> list[Any]:
        at = len(self.stack) - 1 - self.stack[::-1].index(_MARK)
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def do_PROTO(self, _: object) -> None:
        pass

    def do_MARK(self, _: object) -> None:
        self.stack.append(_MARK)

    def do_EMPTY_DICT(self, _: object) -> None:
        self.stack.append({})

    def do_EMPTY_LIST(self, _: object) -> None:
        self.stack.append([])

    def do_BINPUT(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    do_LONG_BINPUT = do_BINPUT

    def do_BINGET(self, key: int) -> None:
        self.stack.append(self.memo[key])

    do_LONG_BINGET = do_BINGET

    def do_GLOBAL(self, name: str) -> None:
        self.stack.append(_Global(name))

    def do_TUPLE(self, _: object) -> None:
        self.stack.append(tuple(self._to_mark()))

    def do_TUPLE1(self, _: object) -> None:
        self.stack[-1:] = [tuple(self.stack[-1:])]

    def do_TUPLE2(self, _: object) -> None:
        self.stack[-2:] = [tuple(self.stack[-2:])]

    def do_TUPLE3(self, _: object) -> None:
        self.stack[-3:] = [tuple(self.stack[-3:])]

    def do_APPEND(self, _: object) -> None:
        value = self.stack.pop()
        self.stack[-1].append(value)

    def do_APPENDS(self, _: object) -> None:
        items = self._to_mark()
        self.stack[-1].extend(items)

    def do_SETITEM(self, _: object) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.stack[-1][key] = value

    def do_SETITEMS(self, _: object) -> None:
        items = self._to_mark()
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def do_BUILD(self, _: object) -> None:
        self.stack.pop()  # attributes of the container below; no tensor is in them

    def do_BINPERSID(self, _: object) -> None:
        kind, storage, key, *_rest = self.stack.pop()
        dtype = _DTYPES.get(storage.name.removeprefix("torch ")) if isinstance(storage, _Global) else None
        if kind != "storage" or dtype is None:
            raise TorchFileError(f"it has {storage!r} where numbers are expected")
        self.stack.append(_Storage(str(key), dtype))

    def do_REDUCE(self, _: object) -> None:
        arguments, what = self.stack.pop(), self.stack.pop()
        if what == _Global("collections OrderedDict") and arguments == ():
            self.stack.append({})
        elif what == _Global("torch._utils _rebuild_tensor_v2"):
            storage, offset, shape, strides, *_rest = arguments
            if not isinstance(storage, _Storage):
                raise TorchFileError("a tensor has no storage")
            self.stack.append(_Tensor(storage, int(offset), tuple(shape), tuple(strides)))
        else:
            raise TorchFileError(f"it wants to call {getattr(what, 'name', what)!r}; only tensors are read")


def _named(value: Any, prefix: str = "") -> Iterator[tuple[str, _Tensor]]:
    if isinstance(value, _Tensor):
        yield prefix, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _named(inner, f"{prefix}.{key}" if prefix else str(key))


def _storages(data: bytes, keys: list[str], dtypes: dict[str, str]) -> dict[str, NDArray[Any]]:
    """The storages behind the pickles, in the order of ``keys``; those without a tensor are passed over as float32."""
    found, at = {}, 0
    for key in keys:
        (count,) = struct.unpack_from("<q", data, at)
        dtype = np.dtype(dtypes.get(key, "<f4"))
        if not 0 <= count * dtype.itemsize <= len(data) - at - 8:
            raise TorchFileError("cut short")
        found[key] = np.frombuffer(data, dtype, count, at + 8)
        at += 8 + count * dtype.itemsize
    return found


def _array(tensor: _Tensor, storages: dict[str, NDArray[Any]]) -> NDArray[Any]:
    numbers = storages[tensor.storage.key]
    reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min((*tensor.shape, *tensor.strides, tensor.offset), default=0) < 0 or tensor.offset + reach >= numbers.size:
        raise TorchFileError("a tensor lies outside its storage")
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides).copy()
