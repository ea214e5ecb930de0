"""The fuzz target for a while; ``FACE_AF_FUZZ_SECONDS`` changes how long."""

from __future__ import annotations

import os
import resource

import pytest
from decoder_fuzz import fuzz

SECONDS = float(os.environ.get("FACE_AF_FUZZ_SECONDS", "60"))


@pytest.mark.timeout(SECONDS + 60)
def test_no_mutated_input_hurts():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert fuzz(SECONDS, seed=int.from_bytes(os.urandom(4), "little")) > 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
