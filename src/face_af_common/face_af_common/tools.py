"""What ``ros2 run`` starts for each command-line tool, and what all of them have around them.

Ctrl-C and SIGTERM end a tool at any moment without a traceback, within two seconds, with its files whole. What is the
machine's fault (a full disk, no memory, an output that is closed) is one line and exit status 1.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from types import FrameType

from . import files, memory
from .wheels import ADVICE

PATIENCE_S = 1.5
"""Time to tidy up after Ctrl-C; something that does not listen is ended then."""

_PR_SET_PDEATHSIG = 1


def _tool(module: str) -> Callable[[], int]:
    def start() -> int:
        return run_tool(module)

    return start


def run_tool(module: str, patience_s: float = PATIENCE_S) -> int:
    """Imports ``module`` and calls its ``main``; returns the exit status."""
    signals = _Signals(patience_s)
    _open_standard_files()
    memory.spare_address_space()
    status = _run(module, signals)
    if signals.received:
        os._exit(status)  # what libraries do at the interpreter's end takes up to a second
    return status


def _run(module: str, signals: _Signals) -> int:
    name = os.path.basename(sys.argv[0]) or module  # noqa: PTH119
    try:
        main: Callable[[], int] = import_module(module).main
        signals.listen()
        status = main()
        sys.stdout.flush()
        return status
    except SystemExit:
        raise
    except BaseException as error:  # what Ctrl-C becomes in a library, or what the machine is short of
        if signals.received:
            return 128 + signals.received
        line = explained(error)
        if line is None:
            raise
        _say(f"{name}: {line}" if line else "")
        return 128 + signal.SIGPIPE if isinstance(error, BrokenPipeError) else 1
    finally:
        signals.ended()
        files.discard_parts()  # of threads that were not waited for
        _let_go_of_output()


@contextlib.contextmanager
def unheard_by_children() -> Iterator[None]:
    """Processes that are started in the block never get Ctrl-C: it is the parent's to answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """This process gets a signal when its parent is gone, even by kill -9 (Linux: prctl(2), PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))


class _Signals:
    """SIGINT and SIGTERM: death without a word while modules are imported, an exception later, once."""

    def __init__(self, patience_s: float) -> None:
        self.received = 0
        self._patience_s = patience_s
        self._heard = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
        for number in self._heard:
            signal.signal(number, signal.SIG_DFL)  # there is nothing to tidy up yet

    def listen(self) -> None:
        for number in self._heard:
            signal.signal(number, self._raise)
        sys.unraisablehook = self._in_destructor
        threading.excepthook = self._in_thread
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(reading, True)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        with contextlib.suppress(RuntimeError):  # no memory for a thread
            threading.Thread(target=self._watch, args=(reading,), daemon=True).start()

    def ended(self) -> None:
        """What comes now comes too late to be an exception."""
        for number in self._heard:
            signal.signal(number, signal.SIG_IGN if self.received else signal.SIG_DFL)

    def _raise(self, number: int, _: FrameType | None) -> None:
        first, self.received = not self.received, number
        if first:
            raise KeyboardInterrupt

    def _watch(self, reading: int) -> None:
        # the interpreter writes here at once, even when the main thread is deep in a library
        while os.read(reading, 1)[0] not in self._heard:
            pass
        time.sleep(self._patience_s)
        files.discard_parts()
        os._exit(128 + (self.received or signal.SIGINT))

    def _in_destructor(self, failed: sys.UnraisableHookArgs) -> None:
        if not self.received:
            sys.__unraisablehook__(failed)
        elif isinstance(failed.exc_value, KeyboardInterrupt):
            # swallowed in a destructor or a callback: once more, when it is over
            self.received = 0
            threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()

    def _in_thread(self, failed: threading.ExceptHookArgs) -> None:
        if not self.received:
            threading.__excepthook__(failed)


def explained(error: BaseException) -> str | None:
    """One line about what is not the program's fault; empty where there is nobody to read it; None for a bug."""
    if isinstance(error, BrokenPipeError):
        return ""
    if isinstance(error, ModuleNotFoundError):
        ours = error.name is None or error.name.startswith(("face_af", "nikon_mcn10"))
        return None if ours else f"the Python package '{error.name}' is missing: {ADVICE}"
    if memory.is_shortage(error):
        return memory.ADVICE
    if isinstance(error, OSError):
        return files.told(error)
    return None


def _say(line: str) -> None:
    if line and sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)


def _open_standard_files() -> None:
    """A tool that was started with closed outputs would write what it prints into the first file that it opens."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    # Python gives them no file at all then, which few who print expect
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _let_go_of_output() -> None:
    """The interpreter would try once more to write what could not be written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


adjust_crops = _tool("face_af_crops.adjust")
build_engines = _tool("face_af_inference.build_engines")
calibrate = _tool("face_af_overlay.calibrate")
camera_report = _tool("nikon_mcn10_driver.camera_report")
classify = _tool("face_af_overlay.classify")
crops = _tool("face_af_crops.crops")
curate = _tool("face_af_crops.curate")
decode_transfers = _tool("nikon_mcn10_driver.capture.decode_transfers")
doctor = _tool("face_af.doctor")
enrol = _tool("face_af_people.enrol")
enrol_voice = _tool("face_af_speaker.enrol")
evaluate = _tool("face_af_people.evaluate")
evaluate_voice = _tool("face_af_speaker.evaluate")
extract = _tool("face_af_people.extract")
fetch_models = _tool("face_af_inference.fetch_models")
fetch_samples = _tool("face_af_sim.samples")
identify = _tool("face_af_people.identify")
identify_voice = _tool("face_af_speaker.identify")
learn_profile = _tool("nikon_mcn10_driver.capture.learn_profile")
list_sound_devices = _tool("face_af_speaker.list_devices")
map = _tool("face_af_people.map")
measure_offset = _tool("face_af_speaker.measure_offset")
parameters = _tool("face_af.parameters")
people = _tool("face_af_people.people")
prepare_stage = _tool("face_af_sim.prepare_stage")
profiles = _tool("nikon_mcn10_driver.profiles")
repair_bag = _tool("face_af_recording.repair_bag")
replay = _tool("face_af_recording.replay.cli")
test_action = _tool("face_af_outputs.try_action")
train = _tool("face_af_people.train")
tune = _tool("face_af_recording.tune.cli")
virtual_z8 = _tool("face_af_sim.virtual_z8.cli")
