"""A parent process that replaces its child when it dies or hangs, as gunicorn's arbiter does with its workers.

The child is forked from a parent that has imported everything, so that it is back in the time that its nodes need to
find one another. The parent touches neither ROS nor a device; it cannot hang with its child. When the parent is killed,
the child goes on until the launch has another one ready: SIGALRM then ends it as Ctrl-C would.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from .liveness import HANG_S, Beats, Silence, Starvation

END_S = 2.0
"""A process that has not ended so long after it was asked to is ended hard."""
HANDOVER_S = 30.0
"""A child whose parent was killed goes on for so long: until another one has imported everything and waits for it."""
USER_ERROR = 2
"""Exit status of a process that cannot start with what it was given: starting again would not help."""

FIRST_S, LONGEST_S = 0.0, 10.0
FORGIVEN_AFTER_S = 10.0

_CHECK_S = 0.25
_STOP = (signal.SIGINT, signal.SIGTERM)
_WAITED_FOR = (*_STOP, signal.SIGCHLD)
_TELL = signal.SIGUSR2
"""Makes a child print what each of its threads does."""
_PR_SET_PDEATHSIG = 1


@dataclass
class Patience:
    """How long to wait before a child is started again."""

    deaths: int = 0
    """In a row, each soon after its start."""

    @property
    def hang_s(self) -> float:
        """How long an executor may stand still: longer after each death, for what is not hung but slow."""
        return HANG_S * 2.0 ** min(self.deaths, 4)

    def after(self, lived_s: float) -> float:
        """Seconds to wait, for a child that lived for ``lived_s``: 0, 1, 2, 4, 8, 10; 0 again after a longer life."""
        self.deaths = 0 if lived_s >= FORGIVEN_AFTER_S else self.deaths
        delay = min(2.0 ** (self.deaths - 1), LONGEST_S) if self.deaths else FIRST_S
        self.deaths += 1
        return delay


def supervise(work: Callable[[Beats], int], names: Sequence[str]) -> int:
    """Runs ``work`` in a child, again and again until it ends by itself, and returns the exit status.

    ``work`` gets what the executors of the nodes ``names`` have to beat, and returns the child's status: 0 = it is
    done, 2 = starting it again would not help. SIGINT and SIGTERM are passed on as SIGINT.
    """
    name = " + ".join(names)
    signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
    gc.collect()
    gc.freeze()  # else collections in the child copy what it shares with its parent
    beats, patience = Beats(names), Patience()
    while True:
        beats.reset()
        started = time.monotonic()
        status, asked = _watch(_fork(work, beats), beats, name, patience.hang_s)
        if asked or status in (0, USER_ERROR):
            return status if status >= 0 else 1
        delay = patience.after(time.monotonic() - started)
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        _say(f"{name} has ended ({how}); it is started again" + (f" in {delay:g} s" if delay else ""))
        if delay and signal.sigtimedwait(_STOP, delay) is not None:
            return 0


def end_process(status: int) -> NoReturn:
    """Ends this process at once: some libraries do not let the interpreter end in time. What was said is written."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    os._exit(status)


def _fork(work: Callable[[Beats], int], beats: Beats) -> int:
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads; only idle ones of numpy's are there
        child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.signal(signal.SIGUSR1, lambda *_: signal.setitimer(signal.ITIMER_REAL, HANDOVER_S))
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)
        if os.getppid() == parent:  # else it has died meanwhile
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITED_FOR)
            faulthandler.register(_TELL)
            status = work(beats)
    except BaseException:
        traceback.print_exc()
    finally:
        end_process(status)


def _watch(child: int, beats: Beats, name: str, hang_s: float) -> tuple[int, bool]:
    """Waits for the child's end; its status (negative: a signal's number), and whether it was asked to end."""
    asked_at = 0.0
    told = False
    silence, starvation = Silence(beats, time.monotonic()), Starvation(child)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), asked_at > 0.0
        got = signal.sigtimedwait(_WAITED_FOR, _CHECK_S)
        now = time.monotonic()
        silence.look(now, starvation.since_last())
        if got is not None and got.si_signo in _STOP and not asked_at:
            asked_at = now
            os.kill(child, signal.SIGINT)
        problem = ""
        if asked_at and now - asked_at > END_S + _CHECK_S:
            problem = f"has not ended {END_S:g} s after it was asked to"
        elif not asked_at and (hung := silence.hung(hang_s)):
            problem = f"hangs: {' and '.join(hung)} did nothing for {hang_s:g} s"
        if problem and not told:
            _say(f"{name} {problem}; it is killed. Where it was:")
            told = True
            os.kill(child, _TELL)
        elif problem:
            os.kill(child, signal.SIGKILL)


def _say(text: str) -> None:
    print(f"[WARN] {text}", file=sys.stderr, flush=True)
