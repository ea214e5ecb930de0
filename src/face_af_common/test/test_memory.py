"""Pictures come and go; their memory stays."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from face_af_common.files import told
from face_af_common.memory import is_shortage

PICTURES = """
import resource
from face_af_common.memory import keep_freed_memory

keep_freed_memory()

def four_pictures():
    pictures = [b"x" * (1920 * 1080 * 3) for _ in range(4)]

four_pictures()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    four_pictures()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library has no mallopt")
def test_memory_of_pictures_is_used_again() -> None:
    done = subprocess.run([sys.executable, "-c", PICTURES], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 1000, "pages that the kernel had to provide anew, of 60,000"


ALLOWED = """
import os, resource, sys
from face_af_common.memory import spare_address_space

before = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), before[1]))
spare_address_space()
import numpy as np
np.ones((900, 900)).dot(np.ones((900, 900)))
print(len(os.listdir("/proc/self/task")), "OPENBLAS_NUM_THREADS" in os.environ)
"""


def with_limit(allowed: int) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", ALLOWED, str(allowed)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


def test_where_little_memory_is_allowed_libraries_make_no_threads() -> None:
    assert with_limit(1_200_000_000) == ["1", "True"]
    assert with_limit(-1)[1] == "False"


def test_a_lack_of_memory_is_told_from_other_errors() -> None:
    for error in (MemoryError(), RuntimeError("std::bad_alloc"), RuntimeError("can't start new thread")):
        assert is_shortage(error)
    assert not is_shortage(ValueError("not an ONNX file"))
    broken = ImportError("the scipy install you are using seems to be broken")
    broken.__cause__ = ImportError("failed to map segment from shared object")
    assert is_shortage(broken)
    lost = OSError("Could not find/load shared object file 'lib.so': failed to map segment from shared object")
    assert told(lost).startswith("there is not enough memory")
