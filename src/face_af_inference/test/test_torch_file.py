"""Files of PyTorch of the old kind: their tensors come out, and nothing in them is ever run."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_inference.torch_file import MAGIC, TorchFileError, read_tensors


class Storage:
    def __init__(self, key: str, values: np.ndarray) -> None:
        self.key, self.values = key, values


def _rebuild_tensor_v2(*_: Any) -> None:
    raise AssertionError("a reader that builds arrays only does not call this")


class Tensor:
    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.arguments = (storage, offset, shape, strides, False, {})

    def __reduce__(self) -> Any:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class FloatStorage:
    pass


def saved(state: Any, storages: list[Storage], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What ``torch.save`` of versions before 1.6 writes."""
    for name, members in {"torch": [FloatStorage], "torch._utils": [_rebuild_tensor_v2]}.items():
        module = types.ModuleType(name)
        for member in members:
            member.__module__ = name
            setattr(module, member.__name__, member)
        monkeypatch.setitem(sys.modules, name, module)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: Any) -> Any:
            if isinstance(value, Storage):
                return ("storage", FloatStorage, value.key, "cpu", value.values.size, None)
            return None

    out = io.BytesIO()
    for head in (MAGIC, 1001, {"protocol_version": 1001, "little_endian": True}):
        pickle.dump(head, out, protocol=2)
    Pickler(out, protocol=2).dump(state)
    pickle.dump([storage.key for storage in storages], out, protocol=2)
    for storage in storages:
        out.write(struct.pack("<q", storage.values.size) + storage.values.astype("<f4").tobytes())
    return out.getvalue()


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> bytes:
    numbers = Storage("1", np.arange(12, dtype=np.float32))
    state = {
        "step": 7,
        "model_state": {"a": Tensor(numbers, 0, (3, 4), (4, 1)), "b": Tensor(numbers, 2, (2, 2), (1, 4))},
    }
    return saved(state, [numbers], monkeypatch)


def test_tensors_come_out_with_offsets_and_strides(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(whole)
    found = read_tensors(path)
    assert np.array_equal(found["model_state.a"], np.arange(12, dtype=np.float32).reshape(3, 4))
    assert np.array_equal(found["model_state.b"], [[2, 6], [3, 7]])


class Bomb:
    def __reduce__(self) -> Any:
        return os.system, ("touch exploded",)


def test_nothing_is_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.pt"
    path.write_bytes(saved({"model_state": Bomb()}, [], monkeypatch))
    with pytest.raises(TorchFileError, match="wants to call"):
        read_tensors(path)
    assert not (tmp_path / "exploded").exists()


def test_a_tensor_outside_its_storage_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    numbers = Storage("1", np.arange(4, dtype=np.float32))
    path = tmp_path / "x.pt"
    path.write_bytes(saved({"a": Tensor(numbers, 0, (2, 4), (4, 1))}, [numbers], monkeypatch))
    with pytest.raises(TorchFileError, match="outside"):
        read_tensors(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_is_one_kind_of_error(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        numbers = Storage("1", np.arange(12, dtype=np.float32))
        raw = bytearray(saved({"a": Tensor(numbers, 0, (3, 4), (4, 1))}, [numbers], patch))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "x.pt"
    path.write_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    try:
        read_tensors(path)
    except TorchFileError as error:
        assert "\n" not in str(error)
