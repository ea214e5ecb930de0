"""Classifiers of made-up people: directions in space, with noise for other photographs."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_gallery.classifier import BASELINES, METHODS, Classifier, Head, content
from face_af_gallery.classifier_fitting import fit
from face_af_gallery.cross_validation import Scale, cross_validate, splits
from face_af_gallery.model import GalleryError, Sample
from face_af_gallery.softmax_training import Schedule, SoftmaxTraining
from face_af_gallery.training import Options, choose, train, with_copies

sys.path.insert(0, str(Path(__file__).parent))
from made_up_people import parted, people

SCALE = Scale(limit=0.42, low=0.0, floor=0.36)
TRAINED = (*METHODS[1:], *BASELINES)


@pytest.mark.parametrize("method", TRAINED)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_every_method_tells_people_apart(method: str, count: int) -> None:
    training, probes, owners = parted(people([12] * count), [6] * count)
    raw = fit(method, training).raw(probes)
    assert raw.shape == (len(probes), count)
    assert (raw.argmax(1) == owners).mean() > 0.95


@pytest.mark.parametrize("method", ["svm", "svm-pairs", "logistic"])
def test_more_photographs_of_one_person_make_no_more_errors(method: str) -> None:
    even = uneven = 0
    for seed in range(20):
        data = people([60, 60], noise=3.0, seed=seed)
        for counts in ([5, 5], [5, 20]):
            training, probes, owners = parted(data, counts)
            # the same probes for both: the last forty of each
            kept = np.concatenate([np.flatnonzero(owners == person)[-40:] for person in (0, 1)])
            wrong = int((fit(method, training).raw(probes[kept]).argmax(1) != owners[kept]).sum())
            even, uneven = (even + wrong, uneven) if counts == [5, 5] else (even, uneven + wrong)
    assert even > 20  # hard enough to tell
    assert uneven <= even


def test_training_and_reloading_need_no_scikit_learn() -> None:
    """Its import takes longer than the training; only the pairs of an older system need it."""
    code = (
        "import sys, test_training as t\nfrom made_up_people import people\n"
        "made = t.train(('a', 'b', 'c'), people([6, 6, 6]), t.SCALE, t.Options(), model_id='m', content='c')\n"
        "assert set(made.results) == set(t.METHODS) and 'sklearn' not in sys.modules\n"
        "again = t.Classifier.from_bytes(made.classifier.to_bytes())\n"
        "assert again.names == ('a', 'b', 'c') and 'sklearn' not in sys.modules\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_stranger_and_a_photograph_to_be_named_are_never_trained_on() -> None:
    data = people([1, 2, 3, 9, 4])
    copies = np.array([3, 3, 7])
    data = with_copies(data, data.rows[copies], copies)
    tried, strange = set(), set()
    for trained, known, strangers in splits(data, seed=3):
        photos = set(data.photos[trained].tolist())
        assert not photos & set(data.photos[known].tolist())
        assert not set(data.owners[trained].tolist()) & set(data.owners[strangers].tolist())
        assert set(data.owners[known].tolist()) <= set(data.owners[trained].tolist())
        assert data.original[known].all() and data.original[strangers].all()
        tried |= set(known.tolist())
        strange |= set(strangers.tolist())
    assert tried == set(range(1, 19)) and strange == set(range(19))


@pytest.mark.parametrize("method", [*METHODS, *BASELINES])
def test_strangers_are_refused_at_the_threshold_that_was_found(method: str) -> None:
    result = cross_validate(method, people([6] * 20, noise=1.0), SCALE)
    rates = result.rates()
    assert rates["strangers_named"] <= 0.005 and rates["misnamed"] == 0
    assert rates["named"] > (0.5 if method in BASELINES else 0.9)


@pytest.mark.parametrize("method", TRAINED)
def test_a_stranger_who_resembles_no_sample_gets_no_name(method: str) -> None:
    data = people([6] * 8, noise=0.6)
    made = train(tuple("abcdefgh"), data, SCALE, Options(method), model_id="m", content="c").classifier
    strangers = people([1] * 300, seed=9).rows
    nearest = np.stack([(strangers @ data.rows[data.owners == i].T).max(1) for i in range(8)], 1).astype(np.float32)
    scores = made.scores(strangers, nearest, limit=0.42, low=0.0, slack=0.06)
    assert scores[nearest < 0.36].max() < 0.42
    own = np.stack([(data.rows @ data.rows[data.owners == i].T).max(1) for i in range(8)], 1).astype(np.float32)
    named = made.scores(data.rows, own, limit=0.42, low=0.0, slack=0.06)
    assert (named.argmax(1) == data.owners).all() and (named.max(1) >= 0.42).mean() > 0.9
    assert named.max() <= 1


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=20), st.floats(-5, 5), st.floats(0.01, 9))
def test_the_scale_of_similarities_keeps_the_order(raw: list[float], low: float, width: float) -> None:
    made = Classifier("", "", (), threshold=low + width, strangers=low)
    ordered = np.sort(np.array(raw, np.float32))
    alike = made.similarity(ordered, 0.42, 0.0)
    assert (np.diff(alike) >= -1e-6).all() and alike.max() <= 1 and alike.min() >= -1
    levels = made.similarity(np.array([low, low + width], np.float32), 0.42, 0.0)
    assert levels == pytest.approx([0, 0.42], abs=0.02)


def test_another_method_is_chosen_only_where_its_lead_is_no_accident() -> None:
    wide = train(tuple(map(str, range(30))), people([12] * 30, noise=1.6), SCALE, Options(), model_id="m", content="c")
    rates = {name: result.rates()["named"] for name, result in wide.results.items()}
    assert wide.classifier.method != "nearest" and rates[wide.classifier.method] > rates["nearest"] + 0.05
    easy = train(tuple("abcd"), people([5] * 4, noise=0.2), SCALE, Options(), model_id="m", content="c")
    assert easy.classifier.method == "nearest"
    one = wide.results["nearest"]
    assert choose({"nearest": one, "mean": dataclasses.replace(one, method="mean")})[0] == "nearest"


@pytest.mark.parametrize("counts, word", [([5], "one person only"), ([1, 1, 1], "one photograph of each")])
def test_too_little_to_try_means_the_nearest_sample(counts: list[int], word: str) -> None:
    names = tuple(map(str, range(len(counts))))
    made = train(names, people(counts), SCALE, Options(), model_id="m", content="c")
    assert made.classifier.method == "nearest" and word in made.reason


def test_mistakes_are_one_line() -> None:
    with pytest.raises(GalleryError, match="one person only"):
        train(("a",), people([5]), SCALE, Options("svm"), model_id="m", content="c")
    with pytest.raises(GalleryError, match="empty"):
        train((), people([1]), SCALE, Options(), model_id="m", content="c")
    with pytest.raises(GalleryError, match="machines"):
        fit("svm-pairs", people([1] * 200))
    with pytest.raises(GalleryError, match="unknown"):
        Options("voodoo")
    twice = people([3, 3])
    twice.rows[4] = twice.rows[1]
    assert train(("a", "b"), twice, SCALE, Options(), model_id="m", content="c").problems == [
        "a and b have the same photograph: one of the two names is wrong"
    ]


def test_the_same_seed_gives_the_same_classifier() -> None:
    for method in TRAINED:
        first, second = (fit(method, people([4] * 5), seed=7) for _ in range(2))
        assert (first.weights == second.weights).all() and (first.bias == second.bias).all()


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [*METHODS, *BASELINES])
def test_a_classifier_survives_its_file(method: str) -> None:
    made = train(tuple("abc"), people([4] * 3), SCALE, Options(method), model_id="m", content="c").classifier
    read = Classifier.from_bytes(made.to_bytes())
    assert (read.names, read.method, read.threshold, read.content) == (made.names, method, made.threshold, "c")
    if made.head is not None:
        assert read.head is not None and (read.head.weights == made.head.weights).all()


def damaged(data: bytes) -> list[bytes]:
    return [b"", data[:100], data[:-200], data.replace(b"svm", b"sVm"), b"\x80\x04\x95" + data]


def test_a_damaged_classifier_is_one_line() -> None:
    data = train(tuple("abc"), people([4] * 3), SCALE, Options("svm"), model_id="m", content="c").classifier.to_bytes()
    wrong = Classifier("m", "c", ("a",), "mean", Head("mean", np.zeros((2, 3), np.float32), np.zeros(2, np.float32)))
    for broken in [*damaged(data), wrong.to_bytes()]:
        with pytest.raises(GalleryError, match="damaged classifier"):
            Classifier.from_bytes(broken)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_lies_there_is_no_classifier(data: bytes) -> None:
    with pytest.raises(GalleryError):
        Classifier.from_bytes(data)


def test_content_is_who_has_which_samples() -> None:
    points = np.zeros((5, 2), np.float32)
    samples = [Sample(f"{i:016x}", "anna", 1.0, False, points) for i in range(3)]
    base = content(samples, "m")
    assert content(samples[::-1], "m") == base
    others = (samples[:2], [*samples[:2], dataclasses.replace(samples[2], identity="bert")])
    negative = [*samples[:2], dataclasses.replace(samples[2], negative=True)]
    assert len({base, content(samples, "n"), content(negative, "m"), *(content(s, "m") for s in others)}) == 5


# ---- by epochs -----------------------------------------------------------------------------------


def test_a_training_that_was_killed_goes_on_to_the_same_end() -> None:
    data, plan = people([8] * 4), Schedule(epochs=9, patience=20)
    whole = SoftmaxTraining(data, 5, plan, "c")
    end = whole.run()
    kept: list[bytes] = []
    SoftmaxTraining(data, 5, plan, "c").run(lambda now: kept.append(now.to_bytes()))
    later = SoftmaxTraining(data, 5, plan, "c")
    later.resume(kept[3])
    assert later.epoch == 4
    assert (later.run().weights == end.weights).all() and later.history == whole.history


def test_it_stops_when_nothing_is_gained_and_keeps_the_best() -> None:
    training = SoftmaxTraining(people([8] * 4, noise=2.0), 5, Schedule(epochs=400, rate=0.1, step=1000, patience=3))
    training.run()
    losses = [figures["loss"] for figures in training.history]
    assert len(losses) == int(np.argmin(losses)) + 1 + 3 < 400


def test_a_checkpoint_of_something_else_is_one_line() -> None:
    data = people([4] * 3)
    mine = SoftmaxTraining(data, 5, content="c")
    for other, word in (
        (SoftmaxTraining(data, 5, content="d"), "another gallery"),
        (SoftmaxTraining(people([4] * 4), 5, content="c"), "another gallery"),
        (SoftmaxTraining(data, 6, content="c"), "another seed"),
        (SoftmaxTraining(data, 5, Schedule(rate=0.5), "c"), "other rates"),
    ):
        with pytest.raises(GalleryError, match=word):
            mine.resume(other.to_bytes())
    for broken in damaged(mine.to_bytes())[:3]:
        with pytest.raises(GalleryError, match="damaged checkpoint"):
            mine.resume(broken)
    longer = SoftmaxTraining(data, 5, Schedule(epochs=40), "c")
    longer.resume(mine.to_bytes())
