from __future__ import annotations

import math

import numpy as np
import pytest

from face_af_common.params import ParamError
from face_af_crops.bank import Bank, Scale, SeenFace, doubted, grow
from face_af_crops.settings import PRESETS, make_settings, ratio, read_settings
from face_af_crops.spans import Sighting, Span, find_spans

NO_PAD = {"prescan_pad_sec": 0.0, "prescan_bridge_gap_sec": 0.0, "prescan_min_segment_sec": 0.0}


def seen(*pairs: tuple[float, float]) -> list[Sighting]:
    return [Sighting(time, distance) for time, distance in pairs]


def test_a_span_begins_and_ends_at_its_thresholds() -> None:
    sightings = seen((0, 0.9), (1, 0.5), (2, 0.7), (3, 0.9), (4, 0.72), (5, 0.9))
    assert find_spans(sightings, 10, make_settings(changes=NO_PAD)) == [Span(1, 2)]


def test_no_face_for_long_enough_ends_a_span_as_well() -> None:
    sightings = seen((0, 0.5), (0.25, math.inf), (0.5, 0.5), (1, math.inf), (1.25, math.inf))
    assert find_spans(sightings, 10, make_settings(changes=NO_PAD)) == [Span(0, 0.5)]


def test_the_minimum_length_counts_after_padding() -> None:
    once = seen((0, 0.9), (5, 0.5), (6, 0.9))
    assert find_spans(once, 10, make_settings()) == [Span(3, 7)]
    assert find_spans(once, 10, make_settings(changes={"prescan_pad_sec": 0.2})) == []


def test_short_gaps_are_bridged_and_padding_ends_with_the_video() -> None:
    sightings = seen((0, 0.5), (1, 0.9), (6, 0.5), (7, 0.9))
    assert find_spans(sightings, 6.5, make_settings()) == [Span(0, 2), Span(4, 6.5)]
    wide = make_settings(changes={"prescan_bridge_gap_sec": 2.0})
    assert find_spans(sightings, 6.5, wide) == [Span(0, 6.5)]


def unit(*values: float) -> np.ndarray:
    row = np.array(values, np.float32)
    return row / np.linalg.norm(row)


def bank_of(**people: np.ndarray) -> Bank:
    return Bank(Scale(0.0, 0.42), {k: v[None] for k, v in people.items()}, np.empty((0, 3), np.float32))


def face(time: float, row: np.ndarray, quality: float = 0.9) -> SeenFace:
    return SeenFace("v", int(time * 10), time, row, quality)


def test_the_bank_takes_good_near_faces_that_are_apart() -> None:
    bank = bank_of(anna=unit(1, 0, 0))
    near, nearer = unit(1, 0.6, 0), unit(1, 0, 0.5)
    grow(bank, [face(0, near, 0.1), face(1, near), face(1.5, nearer), face(3, near), face(4, nearer)], make_settings())
    # poor quality; taken; too soon; a duplicate; taken
    assert [a.time for a in bank.additions] == [1, 4]
    assert len(bank.rows("anna")) == 3


def test_what_was_added_never_vouches_for_others() -> None:
    bank = bank_of(anna=unit(1, 0, 0))
    drifting = [face(i, unit(np.cos(i * 0.4), np.sin(i * 0.4), 0)) for i in range(1, 8)]
    grow(bank, drifting, make_settings())
    assert all(a.distance <= make_settings().prescan_fd_add for a in bank.additions)
    assert len(bank.additions) < 4


def test_a_face_as_near_to_somebody_else_is_not_added() -> None:
    bank = bank_of(anna=unit(1, 0.3, 0), ben=unit(1, -0.3, 0))
    grow(bank, [face(1, unit(1, 0, 0))], make_settings())
    assert bank.additions == []


def test_poor_faces_are_doubted() -> None:
    settings = make_settings()
    distances = doubted(np.array([[0.2], [0.2]], np.float32), np.array([0.0, 0.5], np.float32), settings)
    assert distances[:, 0] == pytest.approx([0.2 + settings.doubt, 0.2])


def test_likeness_is_on_the_published_scale() -> None:
    scale = Scale(strangers=0.82, threshold=0.826)
    assert scale.likeness(np.array([0.82, 0.826, 1.0], np.float32)) == pytest.approx([0, 0.42, 1.0], abs=1e-3)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid(preset: str) -> None:
    make_settings(preset)


@pytest.mark.parametrize("text", ["", "2", "2:0", "a:b", "1:99", "2:3:4", "-1:2", "٣:٢٢٢٢٢"])
def test_wrong_ratios_are_one_line(text: str) -> None:
    with pytest.raises(ParamError) as error:
        ratio(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["- 1\n", "a: [", "x: 2026-02-30\n", "1: 2\n", "a: *b\n"])
def test_wrong_settings_files_are_one_line(tmp_path, content: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "settings.yaml"
    path.write_text(content)
    with pytest.raises(ParamError) as error:
        read_settings(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_contradicting_settings_are_refused() -> None:
    with pytest.raises(ParamError, match="prescan_fd_exit"):
        make_settings(changes={"prescan_fd_exit": 0.1})
