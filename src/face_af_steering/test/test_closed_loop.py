"""A short run of the closed-loop bench: some of each scenario, on seeds that are neither for tuning nor for judging."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
if not (_BENCHMARKS / "steering_sim").is_dir():
    pytest.skip("the benchmarks are not beside the sources", allow_module_level=True)
sys.path.insert(0, str(_BENCHMARKS))

from steering_sim.measure import play  # noqa: E402
from steering_sim.scenarios import NAMES, make  # noqa: E402

_SEED = 5_000_000


def test_close_to_an_all_knowing_policy_with_few_presses() -> None:
    ours = [play(make(name, _SEED), "ours") for name in NAMES]
    knowing = [play(make(name, _SEED), "all-knowing") for name in NAMES]
    on_target = sum(r.on_target_s for r in ours) / sum(r.visible_s for r in ours)
    possible = sum(r.on_target_s for r in knowing) / sum(r.visible_s for r in knowing)
    assert on_target > 0.95 * possible
    assert sum(r.presses for r in ours) < 1.6 * sum(r.presses for r in knowing) + 10
    assert sum(r.presses_while_right for r in ours) <= 4


def test_the_same_seed_gives_the_same_course() -> None:
    one, other = (play(make("crossings", _SEED), "ours", trace=True) for _ in range(2))
    assert one == other
