"""How well voices are told apart: same or different, and naming with strangers about, as they are named live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from face_af_gallery.metrics import Scores, limit_at, roc
from face_af_gallery.voices import VoiceGallery

from .features import FRAMES_A_SECOND
from .identification import VoiceMatcher, centred
from .networks import Floats
from .voice_windows import BLOCK, FRAMES

Recordings = Mapping[str, Sequence[Floats]]
"""For each person the windows' embeddings (N x 256) of each of their recordings."""
MOST_PAIRS = 500_000


def windows_in(seconds: float) -> int:
    """How many windows lie in so much speech; at least one."""
    return max(1, int((seconds * FRAMES_A_SECOND - FRAMES) // BLOCK) + 1)


@dataclass(frozen=True)
class Trial:
    """Scores of the best person for each probe; -2 where no threshold names anybody, because two people are alike."""

    known: Scores
    right: np.ndarray[Any, np.dtype[np.bool_]]
    strangers: Scores

    def rates(self, threshold: float) -> dict[str, float]:
        """Shares named rightly and wrongly of the known people's probes, and named of the strangers', in percent."""
        accepted = self.known >= threshold
        shares = {
            "named": (accepted & self.right).mean(),
            "misnamed": (accepted & ~self.right).mean(),
            "strangers": (self.strangers >= threshold).mean() if len(self.strangers) else 0.0,
        }
        return {key: round(100 * float(value), 2) for key, value in shares.items()}

    def at_strangers(self, rate: float) -> dict[str, float]:
        """The same at the threshold that ``rate`` (0 to 1) of the strangers reach."""
        threshold = limit_at(self.strangers, rate)
        return {"threshold": round(threshold, 4), **self.rates(threshold)}


def _parts(windows: Floats, count: int) -> list[Floats]:
    """Means of ``count`` windows each that share no speech, as one would hear them one after another."""
    step = count + FRAMES // BLOCK - 1
    return [windows[at : at + count].mean(0) for at in range(0, len(windows) - count + 1, step)]


def verification(people: Recordings, seconds: float, seed: int = 1) -> tuple[Scores, Scores]:
    """Likeness of pairs of parts of ``seconds`` of speech: one person's from different recordings, and two people's."""
    rows, owners, recordings = [], [], []
    for person, (name, all_windows) in enumerate(sorted(people.items())):
        for number, windows in enumerate(all_windows):
            for part in _parts(windows, windows_in(seconds)):
                rows.append(centred(part))
                owners.append(person)
                recordings.append((name, number))
    if len(rows) < 2:
        return np.empty(0), np.empty(0)
    likeness = np.array(rows) @ np.array(rows).T
    a, b = np.triu_indices(len(rows), 1)
    same_person = np.array(owners)[a] == np.array(owners)[b]
    places = {recording: index for index, recording in enumerate(dict.fromkeys(recordings))}
    place = np.array([places[recording] for recording in recordings])
    genuine = likeness[a, b][same_person & (place[a] != place[b])].astype(np.float64)
    impostor = likeness[a, b][~same_person].astype(np.float64)
    if len(impostor) > MOST_PAIRS:
        impostor = np.random.default_rng(seed).choice(impostor, MOST_PAIRS, replace=False)
    return genuine, impostor


def equal_error(genuine: Scores, impostor: Scores) -> float:
    """Percent; nan without pairs."""
    return round(100 * roc(genuine, impostor).equal_error()[0], 3) if len(genuine) and len(impostor) else float("nan")


def open_set(
    people: Recordings,
    strangers: Recordings,
    *,
    enrolled_s: float,
    heard_s: float,
    margin: float,
    repeats: int = 10,
    seed: int = 1,
) -> Trial:
    """Enrols ``enrolled_s`` of random recordings of each person, and names ``heard_s`` of the others.

    Strangers are the people of ``strangers``, and each enrolled person while left out of the gallery.
    """
    rng = np.random.default_rng(seed)
    count, wanted = windows_in(heard_s), windows_in(enrolled_s)
    foreign = [part for windows in strangers.values() for w in windows for part in _parts(w, count)]
    known, right, unknown = [], [], []
    for _ in range(repeats):
        gallery, rest = VoiceGallery(None, ""), {}
        for name, recordings in people.items():
            order, got, used = rng.permutation(len(recordings)), 0, 0
            for index in order[: max(1, len(order) - 1)]:
                taken = recordings[index][: wanted - got]
                gallery.add(name, taken.mean(0), len(taken) * BLOCK / FRAMES_A_SECOND)
                got, used = got + len(taken), used + 1
                if got >= wanted:
                    break
            rest[name] = [part for index in order[used:] for part in _parts(recordings[index], count)]
        matcher = VoiceMatcher(gallery, -1.0, margin)
        for name, parts in rest.items():
            for part in parts:
                scores = matcher.scores(part)
                best, value = _best(scores, margin)
                known.append(value)
                right.append(matcher.names[best] == name)
                if len(scores) > 1:
                    unknown.append(_best(np.delete(scores, matcher.names.index(name)), margin)[1])
        unknown += [_best(matcher.scores(part), margin)[1] for part in foreign]
    return Trial(np.array(known), np.array(right, bool), np.array(unknown))


def _best(scores: Floats, margin: float) -> tuple[int, float]:
    best = int(scores.argmax())
    second = float(np.delete(scores, best).max()) if len(scores) > 1 else -1.0
    return best, float(scores[best]) if scores[best] - second >= margin else -2.0


def most_alike(people: Recordings) -> tuple[str, str, float]:
    """The two people whose voices are most alike, for the report: whom one should not enrol side by side."""
    means = {name: centred(np.concatenate(list(recordings)).mean(0)) for name, recordings in people.items()}
    pairs = [(a, b, float(means[a] @ means[b])) for a, b in combinations(sorted(means), 2)]
    return max(pairs, key=lambda pair: pair[2], default=("", "", -1.0))
