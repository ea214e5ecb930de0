"""Who is named and who is not, among people and strangers."""

from __future__ import annotations

import numpy as np

from face_af_people.open_set import evaluate


def test_open_set_counts_known_and_strangers() -> None:
    """Perfect scores: everybody is named, no stranger is."""
    people = {"a": [0, 1, 2], "b": [3, 4], "c": [5]}
    owner = {index: name for name, indices in people.items() for index in indices}

    def score(enrolled: list[tuple[str, int]], probes: list[int]) -> tuple[list[str], np.ndarray]:
        names = sorted({name for name, _ in enrolled})
        return names, np.array([[0.9 if owner[p] == n else 0.1 for n in names] for p in probes], np.float32)

    result = evaluate(people, score, enrol=1, margin=0.05, repeats=4)
    assert len(result.known) == 4 * 3 and len(result.strangers) == 4 * 6
    assert result.rates(0.5) == (1.0, 0.0, 0.0)
    assert result.rates(0.05)[2] == 0  # two equally alike: the margin refuses
