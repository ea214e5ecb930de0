"""MQTT with a real broker (mosquitto), which is killed and comes back."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from paho.mqtt.enums import CallbackAPIVersion  # noqa: E402

from face_af_outputs.events import Event, Observer  # noqa: E402
from face_af_outputs.house import House, slug  # noqa: E402
from face_af_outputs.mqtt import Broker, MqttError, MqttLink  # noqa: E402
from face_af_outputs.outbox import EVENTS, Outbox  # noqa: E402

MOSQUITTO = shutil.which("mosquitto") or next((p for p in ["/usr/sbin/mosquitto"] if Path(p).exists()), None)
real_broker = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def until(condition: object, seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


class RealBroker:
    """mosquitto on a port of its own; forgets everything when it is killed."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        access = lines or ("allow_anonymous true",)
        lines = (f"listener {self.port} 127.0.0.1", "persistence false", "user root", *access)
        self._config.write_text("\n".join(lines))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen([str(MOSQUITTO), "-c", self._config], stdout=nothing, stderr=nothing)
        assert until(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Reader:
    """What a subscriber gets, in order; connects again by itself."""

    def __init__(self, port: int, topic: str = "#") -> None:
        self.got: list[tuple[str, str, bool]] = []
        self.ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="reader")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda c, *rest: c.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *rest: self.ready.set()
        self._client.on_disconnect = lambda *rest: self.ready.clear()
        self._client.on_message = lambda c, d, m: self.got.append((m.topic, m.payload.decode(), m.retain))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self.ready.wait(10)

    def of(self, topic: str) -> list[str]:
        return [payload for got, payload, _ in self.got if got == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RealBroker]:
    made = RealBroker(tmp_path)
    made.start()
    yield made
    made.kill()


def link_to(broker: RealBroker, outbox: Outbox, said: list[str], **more: object) -> MqttLink:
    link = MqttLink(Broker("127.0.0.1", broker.port, **more), outbox, "face_af/x/availability", said.append)  # type: ignore[arg-type]
    link.start()
    return link


@real_broker
def test_states_are_retained_and_the_last_will_says_offline(broker: RealBroker) -> None:
    outbox, said = Outbox(), []
    link = link_to(broker, outbox, said)
    outbox.state("face_af/x/camera", b"1")
    outbox.state("face_af/x/camera", b"2")
    assert until(lambda: outbox.idle and link.connected)
    late = Reader(broker.port)
    assert until(lambda: len(late.got) == 2)
    assert ("face_af/x/camera", "2", True) in late.got and ("face_af/x/availability", "online", True) in late.got
    link.close()
    assert until(lambda: late.of("face_af/x/availability")[-1] == "offline")
    late.close()


@real_broker
def test_a_broker_that_is_killed_again_and_again_gets_the_last_state_and_nothing_twice(broker: RealBroker) -> None:
    outbox, said = Outbox(), []
    link = link_to(broker, outbox, said)
    reader = Reader(broker.port, "face_af/x/+")
    for turn in range(5):
        outbox.state("face_af/x/state", f"{turn} before".encode())
        outbox.event("face_af/x/event", f"{turn} before".encode())
        # mosquitto confirms before it has passed a message on: what it has not yet, a kill loses
        assert until(lambda turn=turn: outbox.idle and f"{turn} before" in reader.of("face_af/x/event"))
        broker.kill()
        assert until(lambda: not link.connected)
        outbox.state("face_af/x/state", f"{turn} lost".encode())
        outbox.state("face_af/x/state", f"{turn} last".encode())
        outbox.event("face_af/x/event", f"{turn} without a broker".encode())
        broker.start()
        assert reader.ready.wait(10)
        assert until(lambda: outbox.idle and link.connected)
        assert until(lambda turn=turn: f"{turn} last" in reader.of("face_af/x/state"))
        assert f"{turn} lost" not in reader.of("face_af/x/state")
    events = reader.of("face_af/x/event")
    states = reader.of("face_af/x/state")
    link.close()
    reader.close()
    assert len(events) == len(set(events)) and len(states) == len(set(states))
    assert [e for e in events if "before" in e] == [f"{turn} before" for turn in range(5)]
    assert outbox.unconfirmed == 0


@real_broker
def test_events_keep_their_order_and_a_flood_is_bounded(broker: RealBroker) -> None:
    outbox = Outbox()
    for number in range(EVENTS + 500):
        outbox.event("face_af/x/event", str(number).encode())
    assert outbox.dropped == 500
    reader = Reader(broker.port, "face_af/x/event")
    link = link_to(broker, outbox, [])
    assert until(lambda: len(reader.got) == EVENTS)
    assert [int(payload) for _, payload, _ in reader.got] == list(range(500, EVENTS + 500))
    link.close()
    reader.close()


@real_broker
def test_a_wrong_password_is_one_line_and_a_right_one_from_a_file_works(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "anna", "secret"], check=True)
    passwords.chmod(0o644)
    broker = RealBroker(tmp_path, "allow_anonymous false", f"password_file {passwords}")
    broker.start()
    try:
        file = tmp_path / "password"
        file.write_text("wrong\n")
        file.chmod(0o600)
        outbox, said = Outbox(), []
        link = link_to(broker, outbox, said, username="anna", password_file=str(file))
        assert until(lambda: said) and "not authori" in said[0] and "\n" not in said[0]
        link.close()
        assert len(said) == 1
        file.write_text("secret\n")
        link = link_to(broker, outbox, said, username="anna", password_file=str(file))
        assert until(lambda: link.connected)
        link.close()
        file.chmod(0o644)
        with pytest.raises(MqttError, match="chmod 600"):
            MqttLink(Broker("x", password_file=str(file)), outbox, "a", said.append)
    finally:
        broker.kill()


def certificate(folder: Path, name: str, signed_by: str = "") -> None:
    """``name.pem`` and ``name.key``: an authority's own, or one of this machine that the authority has signed."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}"]
    made += ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
    if signed_by:
        made += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
        made += ["-CA", f"{signed_by}.pem", "-CAkey", f"{signed_by}.key"]
    subprocess.run(made, check=True, cwd=folder, stderr=subprocess.DEVNULL)
    (folder / f"{name}.key").chmod(0o644)


@real_broker
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_tls_with_a_password(tmp_path: Path) -> None:
    certificate(tmp_path, "authority")
    certificate(tmp_path, "stranger")
    certificate(tmp_path, "house", signed_by="authority")
    passwords, mine = tmp_path / "passwords", tmp_path / "password"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "anna", "secret"], check=True)
    passwords.chmod(0o644)
    mine.write_text("secret\n")
    mine.chmod(0o600)
    files = [f"certfile {tmp_path}/house.pem", f"keyfile {tmp_path}/house.key"]
    broker = RealBroker(tmp_path, *files, "allow_anonymous false", f"password_file {passwords}")
    broker.start()
    user = {"username": "anna", "password_file": str(mine)}
    try:
        for settings, expected in (
            ({"ca_file": str(tmp_path / "stranger.pem")}, "its certificate is not trusted"),
            ({"tls": True}, "its certificate is not trusted"),
            ({}, "the connection was lost"),
        ):
            outbox, said = Outbox(), []
            link = link_to(broker, outbox, said, **settings, **user)
            assert until(lambda said=said: said) and expected in said[0] and "\n" not in said[0], said
            link.close()
        outbox, said = Outbox(), []
        outbox.state("face_af/x/camera", b"1")
        link = link_to(broker, outbox, said, ca_file=str(tmp_path / "authority.pem"), **user)
        assert until(lambda: link.connected and outbox.idle), said
        link.close()
        for path, expected in (("nowhere.pem", "No such file"), ("password", "no certificate of an authority")):
            with pytest.raises(MqttError, match=expected):
                MqttLink(Broker("x", ca_file=str(tmp_path / path)), outbox, "a", said.append)
    finally:
        broker.kill()


@real_broker
def test_tls_on_a_port_without_it_is_one_line(broker: RealBroker) -> None:
    said: list[str] = []
    link = link_to(broker, Outbox(), said, tls=True)
    assert until(lambda: said) and "is this the broker's port for TLS" in said[0]
    link.close()


def test_no_broker_and_one_that_does_not_answer_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("face_af_outputs.mqtt.CONNECT_S", 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(8)
        for port, expected in ((free_port(), "refused"), (deaf.getsockname()[1], "no answer")):
            outbox, said = Outbox(), []
            link = MqttLink(Broker("127.0.0.1", port), outbox, "a", said.append)
            link.start()
            assert until(lambda said=said: said) and expected in said[0].lower() and "\n" not in said[0]
            started = time.monotonic()
            outbox.event("t", b"never waits")
            assert time.monotonic() - started < 0.1
            link.close()
            assert len(said) == 1


def test_the_house_sees_people_and_discovery_but_never_more_than_names() -> None:
    outbox = Outbox()
    house, seen = House(outbox, "stage"), Observer()
    seen.faces(["Änna", "bert"], True, 0.0)
    seen.faces(["Änna", "bert"], True, 1.0)
    seen.steering("on_target", "bert", "bert", 1.0)
    seen.steering("on_target", "bert", "bert", 2.0)
    house.show(seen)
    first = outbox.next(0)
    assert first is not None and first.topic == "homeassistant/device/face_af_stage/config" and first.retain
    parts = json.loads(first.payload)["cmps"].values()
    assert {"Änna seen", "bert in focus", "bert speaks", "Camera"} <= {part["name"] for part in parts}
    assert len({part["unique_id"] for part in parts}) == len(parts)
    outbox2 = Outbox()
    House(outbox2, "stage", discovery=False).show(seen)
    found = {}
    while (parcel := outbox2.next(0)) is not None:
        outbox2.flying(len(found), parcel)
        outbox2.arrived(len(found))
        found[parcel.topic] = json.loads(parcel.payload)
    assert found[f"face_af/stage/person/{slug('Änna')}"]["present"] is True
    assert found["face_af/stage/person/bert"] == {
        "name": "bert", "present": True, "target": True, "focus": True, "speaking": False,
    }  # fmt: skip
    assert found["face_af/stage/camera"]["state"] == "on_target"


def test_names_in_topics_are_plain_and_different() -> None:
    names = ["anna", "Anna", "änna", "an/na", "#", "+", "安娜", "a" * 100]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names) and slugs[0] == "anna"
    assert all(part and set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789_") for part in slugs)


def test_an_event_is_json() -> None:
    payload = json.loads(House(Outbox(), "stage").payload(Event("appears", 1.0, "Änna")))
    assert payload == {"event": "appears", "person": "Änna", "state": "", "time": 1.0, "id": 1}
