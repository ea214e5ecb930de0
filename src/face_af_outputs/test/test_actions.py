"""The file of actions, and what it starts: lines, calls, programs; what hangs or fails keeps nobody."""

from __future__ import annotations

import errno
import http.server
import inspect
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_outputs import local_http, try_action
from face_af_outputs.action_file import ActionFileError, Gpio, load, parse
from face_af_outputs.commands import run as run_command
from face_af_outputs.events import Event
from face_af_outputs.gpio import GpiodLine, Pulses, TerminalLine
from face_af_outputs.local_http import Request, RequestError
from face_af_outputs.performer import Hands, Performer, filled
from face_af_outputs.workers import QUEUE, ActionError, Workers

GOOD = """
commands:
  gong: [/bin/true]
actions:
  red light:
    when: {event: gets_focus, person: [anna, bert]}
    do: {gpio: {line: 17, for_s: 0.1}}
  strangers:
    when: unknown
    do: [{mqtt: {topic: hall/alarm}}, {command: gong}]
    min_gap_s: 30
  picture:
    when: [{event: state, state: on_target}, {event: speaks}]
    do: {shutter: {count: 3}, recipe: second half}
"""
NOBODY = Hands(lambda name: None, lambda count, gap: None)


def wait(condition: Any, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(condition())


def file_of(text: str, tmp_path: Path) -> Path:
    path = tmp_path / "actions.yaml"
    path.write_text(text)
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    file = load(file_of(GOOD, tmp_path))
    light, strangers, picture = file.actions
    assert light.do == (Gpio(17, 0.1),) and strangers.min_gap_s == 30
    assert light.when[0].matches(Event("gets_focus", 0, "bert")) and not light.when[0].matches(
        Event("gets_focus", 0, "x")
    )
    assert picture.when[0].matches(Event("state", 0, state="on_target"))
    assert not picture.when[0].matches(Event("state", 0, state="idle"))
    assert len(picture.do) == 2 and file.commands == {"gong": ("/bin/true",)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("actions: {a: {when: apears, do: {gpio: {line: 1}}}}", "did you mean appears"),
        ("actions: {a: {when: unknown}}", "'do' is missing"),
        ("actions: {a: {when: unknown, do: {gpoi: {line: 1}}}}", "did you mean gpio"),
        ("actions: {a: {when: unknown, do: {gpio: {line: one}}}}", "whole number"),
        ("actions: {a: {when: unknown, do: {gpio: {line: 1, for_s: .inf}}}}", "number from"),
        ("actions: {a: {when: unknown, do: {command: rm}}}", "no command 'rm'"),
        ("commands: {rm: [rm, -rf]}", "whole path"),
        ("actions: {a: {when: {event: unknown, person: anna}, do: {shutter: }}}", "about nobody"),
        ("actions: {a: {when: {event: state, state: focussed}, do: {shutter: }}}", "no state"),
        ("actions: {a: {when: unknown, do: {mqtt: {topic: 'a/#'}}}}", "no topic"),
        ("actions: {a: {when: unknown, do: {http: 'ftp://x'}}}", "no web address"),
        ("actions: {a: {when: unknown, do: {http: 'http://u:p@x/'}}}", "password"),
        ("actions: {a: {when: unknown, do: {shutter: {count: 99}}}}", "from 1 to 10"),
        ("actions: {a: {when: unknown, do: {shutter: }, min_gap_s: true}}", "number"),
        ("actions: [1]", "names and values"),
        ("actions:\n  a: {when: [", "line"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(text: str, says: str, tmp_path: Path) -> None:
    path = file_of(text, tmp_path)
    with pytest.raises(ActionFileError) as caught:
        load(path)
    assert says in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


_yaml = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("actions commands when do event person gpio mqtt http line topic a".split()), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_yaml)
def test_whatever_a_file_holds_it_is_read_or_one_line(data: object) -> None:
    try:
        parse(data, "x")
    except ActionFileError as error:
        assert "\n" not in str(error)


def test_events_start_what_the_file_says_within_its_limits(tmp_path: Path) -> None:
    done: list[tuple[str, object]] = []
    hands = Hands(lambda name: done.append(("recipe", name)), lambda count, gap: done.append(("shutter", count)))
    performer = Performer(load(file_of(GOOD, tmp_path)), None, None, hands, print)
    performer.happened([Event("speaks", 0, "anna")] * 1000)
    assert performer.wait(5)
    assert sorted(done) == [("recipe", "second half"), ("shutter", 3)]
    assert performer.limited == 999
    performer.close()


def test_dry_run_only_says(tmp_path: Path) -> None:
    said: list[str] = []
    performer = Performer(load(file_of(GOOD, tmp_path)), None, None, NOBODY, said.append, dry_run=True)
    performer.happened([Event("unknown", 0)])
    assert len(said) == 2 and all(line.startswith("dry run: strangers") for line in said)


def test_one_that_hangs_delays_neither_the_caller_nor_the_others() -> None:
    said: list[str] = []
    workers, stuck, done = Workers(said.append), threading.Event(), threading.Event()
    started = time.monotonic()
    for _ in range(QUEUE + 10):
        workers.submit("slow", stuck.wait)  # type: ignore[arg-type]
    workers.submit("quick", done.set)
    assert done.wait(2) and time.monotonic() - started < 2
    assert workers.dropped >= 9
    stuck.set()

    def fails() -> None:
        raise ActionError("the lamp is gone")

    workers.submit("quick", fails)
    assert wait(lambda: said == ["the lamp is gone"])
    workers.close()


class RecordedLine:
    def __init__(self) -> None:
        self.changes: list[tuple[bool, float]] = []
        self.closed = False

    def set(self, active: bool) -> None:
        self.changes.append((active, time.monotonic()))

    def close(self) -> None:
        self.closed = True


def test_a_pulse_begins_anew_and_ends() -> None:
    line = RecordedLine()
    pulses = Pulses(line, print)
    pulses.pulse(0.3)
    time.sleep(0.15)
    pulses.pulse(0.3)
    assert wait(lambda: len(line.changes) == 2)
    (on, began), (off, ended) = line.changes
    assert on and not off and 0.4 <= ended - began < 1.5
    pulses.pulse(60)
    pulses.close()
    assert line.closed


def test_a_light_in_the_terminal() -> None:
    written: list[str] = []
    line = TerminalLine(Gpio(17), written.append)
    for active in (True, True, False):
        line.set(active)
    assert written == ["● line 17 on\n", "○ line 17 off\n"]


def test_a_missing_chip_is_one_line() -> None:
    pytest.importorskip("gpiod", reason="gpiod is not installed")
    with pytest.raises(ActionError, match="no such chip"):
        GpiodLine(Gpio(1, chip="/dev/gpiochip99"))
    with pytest.raises(ActionError, match="/dev/null line 1: no GPIO chip"):
        GpiodLine(Gpio(1, chip="/dev/null"))


def test_a_line_is_asked_for_and_set_as_the_library_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's part is missing on test machines: the calls are held against the library's own types."""
    gpiod = pytest.importorskip("gpiod", reason="gpiod is not installed")
    ask, request = inspect.signature(gpiod.request_lines), create_autospec(gpiod.LineRequest, instance=True)
    asked: list[dict[str, object]] = []

    def request_lines(*args: object, **more: object) -> object:
        asked.append(ask.bind(*args, **more).arguments)
        if len(asked) > 1:
            raise OSError(errno.EBUSY, "Device or resource busy")
        return request

    monkeypatch.setattr(gpiod, "request_lines", request_lines)
    line = GpiodLine(Gpio(17, active_low=True))
    line.set(True)
    line.close()
    (settings,) = asked[0]["config"].values()  # type: ignore[attr-defined]
    assert asked[0]["path"] == "/dev/gpiochip0" and list(asked[0]["config"]) == [17]  # type: ignore[call-overload]
    assert isinstance(settings, gpiod.LineSettings) and settings.active_low
    assert (settings.direction, settings.output_value) == (gpiod.line.Direction.OUTPUT, gpiod.line.Value.INACTIVE)
    values = [call.args for call in request.set_value.call_args_list]
    assert values == [(17, gpiod.line.Value.ACTIVE), (17, gpiod.line.Value.INACTIVE)]
    request.release.assert_called_once_with()
    with pytest.raises(ActionError, match="in use by another program"):
        GpiodLine(Gpio(17))


@pytest.fixture
def server() -> Iterator[tuple[int, list[tuple[str, str, bytes]]]]:
    got: list[tuple[str, str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got.append((self.command, self.path, body))
            status = 302 if self.path == "/away" else 200
            self.send_response(status)
            self.send_header("Location", "http://example.com/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_address[1], got
    made.shutdown()


def test_calls_reach_the_house_and_nothing_else(server: tuple[int, list[Any]]) -> None:
    port, got = server
    assert local_http.send(Request.checked(f"http://localhost:{port}/on?x=1", "POST", "now", 5)) == 200
    assert got == [("POST", "/on?x=1", b"now")]
    with pytest.raises(ActionError, match="302"):
        local_http.send(Request.checked(f"http://127.0.0.1:{port}/away", "GET", "", 5))
    for url in ("http://93.184.216.34/", "http://[2606:2800:220:1::1]/"):
        with pytest.raises(ActionError, match="not in the local network"):
            local_http.send(Request.checked(url, "GET", "", 5))
    with pytest.raises(ActionError, match="no answer"):
        local_http.send(Request.checked("http://127.0.0.1:9/", "GET", "", 1))
    with pytest.raises(RequestError):
        Request.checked("http://x/", "DELETE", "", 5)


def test_a_program_knows_the_event_and_one_that_hangs_is_stopped(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = f"import os; open({str(out)!r}, 'w').write(os.environ['FACE_AF_PERSON'])"
    run_command([sys.executable, "-c", code], Event("appears", 0, "$(reboot)"))
    assert out.read_text() == "$(reboot)"
    started = time.monotonic()
    with pytest.raises(ActionError, match="did not end"):
        run_command(["/bin/sh", "-c", "sleep 60 & sleep 60"], Event("appears", 0), 0.3)
    assert time.monotonic() - started < 5
    with pytest.raises(ActionError, match="cannot be started"):
        run_command(["/no/such/program"], Event("appears", 0))
    with pytest.raises(ActionError, match="status 3"):
        run_command(["/bin/sh", "-c", "exit 3"], Event("appears", 0))


def test_placeholders_are_filled_once() -> None:
    assert filled("{person} {event} {x}", Event("appears", 0, "{time}")) == b"{time} appears {x}"


def test_trying_one_action(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(file_of(GOOD, tmp_path))
    assert try_action.main(["--actions", path]) == 0
    assert "red light: gets_focus" in capsys.readouterr().out
    assert try_action.main(["red light", "--actions", path, "--gpio", "terminal"]) == 0
    said = capsys.readouterr()
    assert "● line 17 on" in said.err and "○ line 17 off" in said.err
    assert try_action.main(["strangers", "--actions", path]) == 1
    assert "no broker" in capsys.readouterr().err
    assert try_action.main(["red lite", "--actions", path]) == 2
    assert "did you mean red light" in capsys.readouterr().err
