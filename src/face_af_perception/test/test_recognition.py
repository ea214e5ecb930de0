"""Names from embeddings, with vectors made for the purpose."""

from __future__ import annotations

import numpy as np
import pytest

from face_af_common.params import build
from face_af_common.types import Box
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import Sample
from face_af_perception.alignment import ARCFACE
from face_af_perception.detectors import Detection
from face_af_perception.embedders import Embedder
from face_af_perception.params import PerceptionNodeParams, RecognitionParams
from face_af_perception.recognition import Recognizer
from face_af_perception.tracker import Track, Tracker

AXES = np.eye(32, dtype=np.float32)


def direction(*parts: float) -> np.ndarray:
    row = np.zeros(32, np.float32)
    row[: len(parts)] = parts
    return row / np.linalg.norm(row)


def recognition(**changes: object) -> RecognitionParams:
    return build(PerceptionNodeParams, {f"recognition.{name}": value for name, value in changes.items()}).recognition


@pytest.fixture
def gallery(embedder: Embedder) -> Gallery:
    gallery = Gallery(None, embedder)
    for i, name in enumerate(("anna", "bert")):
        gallery.add_embedded(Sample(f"{i:016x}", name, 1.0, False, ARCFACE), AXES[i])
    return gallery


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(build(PerceptionNodeParams, {}).tracker)


def track(tracker: Tracker, x: float = 0) -> Track:
    face = Detection(Box(x, 0, 60, 60), 0.9, ARCFACE)
    return Track(tracker.new_memory(), face, np.zeros((6, 4, 3), np.float32), 0.0)


def teach(recognizer: Recognizer, tracker: Tracker, one: Track, row: np.ndarray, times: int = 3) -> None:
    for i in range(times):
        recognizer.learn(tracker, one, row, 0.9, i / 30)


ALIKE = direction(0.5, 0, 0.86)
"""Half like Anna."""


@pytest.mark.parametrize(("cohort", "name"), [(True, ""), (False, "anna")])
def test_who_was_seen_beside_a_person_is_not_taken_for_them(
    embedder: Embedder, gallery: Gallery, tracker: Tracker, cohort: bool, name: str
) -> None:
    recognizer = Recognizer(recognition(cohort=cohort, enter=0.45, exit=0.4), embedder, gallery)
    anna, double = track(tracker), track(tracker, 300)
    teach(recognizer, tracker, anna, AXES[0])
    teach(recognizer, tracker, double, direction(0.35, 0, 0.94))  # turned away: less alike
    recognizer.name([anna, double])
    assert (anna.memory.identity, double.memory.identity) == ("anna", "")
    again = track(tracker)  # alone later, and more alike
    teach(recognizer, tracker, again, ALIKE)
    recognizer.name([again])
    assert again.memory.identity == name


def test_a_wrong_name_does_not_shut_the_right_person_out(
    embedder: Embedder, gallery: Gallery, tracker: Tracker
) -> None:
    recognizer = Recognizer(recognition(enter=0.45, exit=0.4), embedder, gallery)
    double, anna = track(tracker), track(tracker, 300)
    teach(recognizer, tracker, double, direction(0.5, 0, 0.5, 0.7))
    teach(recognizer, tracker, anna, direction(0.42, 0, 0, 0, 0.9))  # in bad light
    recognizer.name([double, anna])
    assert double.memory.identity == "anna"
    better = track(tracker)
    teach(recognizer, tracker, better, direction(0.6, 0, 0, 0, 0.8))
    recognizer.name([better])
    assert better.memory.identity == "anna"


def test_a_blurred_face_counts_less(embedder: Embedder, gallery: Gallery, tracker: Tracker) -> None:
    recognizer = Recognizer(recognition(), embedder, gallery)
    one = track(tracker)
    recognizer.learn(tracker, one, AXES[0], 0.9, 0.0)
    recognizer.learn(tracker, one, direction(0.5, 0, 0.8), 0.1, 0.1)
    recognizer.name([one])
    assert one.memory.similarity > 0.97


def test_a_person_seen_again_elsewhere_keeps_the_track_id(
    embedder: Embedder, gallery: Gallery, tracker: Tracker
) -> None:
    recognizer = Recognizer(recognition(), embedder, gallery)
    before, after = track(tracker), track(tracker, 900)
    teach(recognizer, tracker, before, AXES[3])
    before.visible = False
    tracker.lost.append(before)
    recognizer.learn(tracker, after, AXES[3], 0.9, 1.0)
    assert after.memory is before.memory and not tracker.lost


def test_two_that_were_mixed_up_exchange_their_memories(embedder: Embedder, gallery: Gallery, tracker: Tracker) -> None:
    recognizer = Recognizer(recognition(), embedder, gallery)
    left, right = track(tracker), track(tracker, 100)
    tracker.tracks = [left, right]
    for one, row in ((left, AXES[0]), (right, AXES[1])):
        teach(recognizer, tracker, one, row)
        one.doubtful = True
    first, second = left.memory, right.memory
    recognizer.learn(tracker, left, AXES[1], 0.9, 1.0)
    assert (left.memory, right.memory) == (second, first)


def test_the_threshold_rises_with_thousands_of_people(embedder: Embedder) -> None:
    gallery = Gallery(None, embedder)
    random = np.random.default_rng(0)
    for i in range(1000):
        gallery.add_embedded(Sample(f"{i:016x}", f"p{i}", 1.0, False, ARCFACE), random.standard_normal(32))
    recognizer = Recognizer(recognition(), embedder, gallery)
    assert (
        recognizer.enter == pytest.approx(0.4 * (1 + 0.1 * np.log10(1000 / 50))) and recognizer.exit < recognizer.enter
    )
    assert Recognizer(recognition(), embedder, Gallery(None, embedder)).enter == pytest.approx(0.4)


def test_a_face_that_is_nearly_somebody_is_looked_at_again_soon(
    embedder: Embedder, gallery: Gallery, tracker: Tracker
) -> None:
    recognizer = Recognizer(recognition(enter=0.6, exit=0.4, per_frame=2), embedder, gallery)
    nearly, stranger = track(tracker), track(tracker, 300)
    teach(recognizer, tracker, nearly, ALIKE)
    teach(recognizer, tracker, stranger, AXES[7])
    recognizer.name([nearly, stranger])
    assert recognizer.choose([nearly, stranger], 0.1) == []
    assert recognizer.choose([nearly, stranger], 0.3) == [nearly]
    assert len(recognizer.choose([nearly, stranger], 1.5)) == 2


WEAK = 0.07
"""Quality of a face in profile, or ten pixels wide."""


def named_track(recognizer: Recognizer, tracker: Tracker, x: float = 0) -> Track:
    anna = track(tracker, x)
    teach(recognizer, tracker, anna, AXES[0])
    recognizer.name([anna])
    assert anna.identity == "anna"
    return anna


def test_weak_evidence_adds_up_until_the_name_falls(embedder: Embedder, gallery: Gallery, tracker: Tracker) -> None:
    recognizer = Recognizer(recognition(), embedder, gallery)
    one = named_track(recognizer, tracker)
    looks = []
    for i in range(30):
        recognizer.learn(tracker, one, AXES[7], WEAK, 1 + 0.15 * i)
        recognizer.name([one])
        looks.append(one.identity)
        assert one.similarity < 0.1, "the similarity of the face shown, from the first look on"
    fallen = looks.index("")
    assert 1 <= fallen <= 6 and set(looks[fallen:]) == {""}
    assert one.memory.identity == ""


def test_in_doubt_one_weak_look_withholds_the_name_and_few_take_it(
    embedder: Embedder, gallery: Gallery, tracker: Tracker
) -> None:
    recognizer = Recognizer(recognition(), embedder, gallery)
    one = named_track(recognizer, tracker)
    known = one.memory
    one.doubtful = True  # as after a cut
    looks = 0
    while one.memory is known:
        recognizer.learn(tracker, one, AXES[7], WEAK, 1 + looks / 30)
        recognizer.name([one])
        assert one.identity == "" and one.similarity < 0.1
        looks += 1
    assert looks <= 4


def test_who_turns_away_for_a_moment_keeps_the_name(embedder: Embedder, gallery: Gallery, tracker: Tracker) -> None:
    recognizer = Recognizer(recognition(), embedder, gallery)
    one = named_track(recognizer, tracker)
    for i in range(40):
        profile = i % 3 != 2
        recognizer.learn(tracker, one, AXES[7] if profile else AXES[0], WEAK if profile else 0.5, 1 + 0.15 * i)
        recognizer.name([one])
        assert one.identity == "anna"


def test_a_withheld_name_is_back_with_the_first_look_that_shows_the_person(
    embedder: Embedder, gallery: Gallery, tracker: Tracker
) -> None:
    recognizer = Recognizer(recognition(), embedder, gallery)
    one = named_track(recognizer, tracker)
    known = one.memory
    for i in range(4):
        recognizer.learn(tracker, one, AXES[7], WEAK, 1 + 0.15 * i)
    assert one.identity == "" and one.memory is known
    recognizer.learn(tracker, one, AXES[0], 0.5, 2.0)
    recognizer.name([one])
    assert one.identity == "anna" and one.similarity > 0.9


def test_a_face_cut_by_the_edge_loses_a_name_that_is_not_its_own(
    embedder: Embedder, gallery: Gallery, tracker: Tracker
) -> None:
    recognizer = Recognizer(recognition(per_frame=2), embedder, gallery)
    one = named_track(recognizer, tracker)
    one.contested = one.doubtful = True
    for i in range(60):
        stamp = 1 + i / 30
        for chosen in recognizer.choose([one], stamp):
            recognizer.learn(tracker, chosen, AXES[7], WEAK, stamp)
        recognizer.name([one])
    assert one.identity == "" and one.similarity < 0.1
    assert len(one.memory.embeddings) == 3, "half a face teaches nothing"


def test_who_is_not_believed_does_not_compete(embedder: Embedder, gallery: Gallery, tracker: Tracker) -> None:
    recognizer = Recognizer(recognition(), embedder, gallery)
    ghost, anna = named_track(recognizer, tracker), track(tracker, 300)
    ghost.doubtful = True
    recognizer.learn(tracker, ghost, AXES[7], WEAK, 1.0)
    teach(recognizer, tracker, anna, direction(0.6, 0, 0.8))  # less alike than the ghost was
    recognizer.name([ghost, anna])
    assert (ghost.identity, anna.identity) == ("", "anna") and ghost.similarity < anna.similarity
