from __future__ import annotations

import numpy as np
import pytest

from face_af_perception.scene_change import Change, SceneChange

RNG = np.random.default_rng(2)


def scene(seed: int) -> np.ndarray:
    """A frame of patches as large as people."""
    blocks = np.random.default_rng(seed).integers(20, 200, (9, 16, 3)).astype(np.uint8)
    return np.kron(blocks, np.ones((40, 40, 1), np.uint8))


def changes(frames: list[np.ndarray], fps: float = 30) -> list[Change]:
    watch = SceneChange()
    return [watch.update(frame, i / fps) for i, frame in enumerate(frames)]


def test_a_cut_is_one_change() -> None:
    found = changes([scene(1)] * 5 + [scene(2)] * 5)
    assert found == [Change.NONE] * 5 + [Change.CUT] + [Change.NONE] * 4


@pytest.mark.parametrize("factor", [0.3, 1.25])
def test_light_that_goes_on_or_off_is_no_cut(factor: float) -> None:
    lit = np.clip(scene(1) * factor, 0, 255).astype(np.uint8)
    found = changes([scene(1)] * 5 + [lit] * 5)
    assert found[5] is Change.DRIFT and Change.CUT not in found


def test_a_dissolve_is_noticed_within_a_second() -> None:
    frames = [scene(1)] * 10
    frames += [(scene(1) * (1 - i / 30) + scene(2) * (i / 30)).astype(np.uint8) for i in range(31)]
    found = changes(frames + [scene(2)] * 15)
    assert Change.CUT not in found and Change.DRIFT in found[15:]


def test_noise_and_one_person_who_moves_are_no_change() -> None:
    frames = []
    for i in range(40):
        frame = scene(1)
        frame[80:300, 20 + 10 * i : 180 + 10 * i] = (90, 120, 180)
        frames.append(np.clip(frame + RNG.normal(0, 4, frame.shape), 0, 255).astype(np.uint8))
    assert set(changes(frames)) == {Change.NONE}


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 2000, 3), (2000, 3, 3)])
def test_frames_of_any_shape_are_compared(shape: tuple[int, int, int]) -> None:
    assert changes([np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)])[1] is not Change.NONE
