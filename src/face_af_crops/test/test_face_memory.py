"""When a face is embedded again, and when what is known of it holds."""

from __future__ import annotations

import numpy as np

from face_af_common.types import Box
from face_af_crops.engine import FoundFace
from face_af_crops.face_memory import FaceMemory


def found(x: float, quality: float = 0.5) -> FoundFace:
    chip = np.zeros((112, 112, 3), np.uint8)
    return FoundFace(Box(x, 100, 80, 100), 0.9, np.zeros((5, 2), np.float32), chip, quality, 0.5)


def known(memory: FaceMemory, face: FoundFace, time: float) -> bool:
    return memory.recall([face], time)[0] is not None


def seen(time: float = 0.0, *faces: FoundFace) -> FaceMemory:
    memory = FaceMemory()
    memory.recall(faces, time)
    memory.keep(faces, np.arange(4 * len(faces), dtype=np.float32).reshape(-1, 4), range(len(faces)), time)
    return memory


def test_a_face_that_stays_is_known_by_its_own_row() -> None:
    memory = seen(0.0, found(0), found(300))
    rows = memory.recall([found(305), found(5), found(150)], 0.1)
    assert [None if row is None else row.tolist() for row in rows] == [[4, 5, 6, 7], [0, 1, 2, 3], None]


def test_what_is_known_of_a_face_grows_old() -> None:
    memory = seen(0.0, found(0))
    for time in (0.2, 0.4):
        rows = memory.recall([found(0)], time)
        assert rows[0] is not None
        memory.keep([found(0)], np.stack([rows[0]]), [], time)
    assert not known(memory, found(0), 0.6), "of the embedding, not of the last sight"


def test_a_face_that_became_clearer_is_looked_at_again() -> None:
    memory = seen(0.0, found(0, 0.2))
    assert known(memory, found(0, 0.25), 0.1)
    assert not known(memory, found(0, 0.4), 0.1)


def test_after_a_cut_nobody_is_known() -> None:
    memory = seen(0.0, found(0))
    memory.clear()
    assert not known(memory, found(0), 0.1)
