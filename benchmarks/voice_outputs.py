"""The outputs' half of ``./run bench voice``: a real broker (mosquitto) on loopback, killed and started again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from face_af_outputs.action_file import parse
from face_af_outputs.events import Event
from face_af_outputs.house import House
from face_af_outputs.mqtt import Broker, MqttLink
from face_af_outputs.outbox import Outbox
from face_af_outputs.performer import Hands, Performer

TOPIC = "face_af/bench"


class _Mosquitto:
    """Forgets everything when it is killed."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = int(s.getsockname()[1])
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        text = f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        (folder / "mosquitto.conf").write_text(text)

    def start(self) -> None:
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, stdout=nothing, stderr=nothing)
        if not until(lambda: self._answers()):
            raise RuntimeError("mosquitto does not start")

    def _answers(self) -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


class _Reader:
    def __init__(self, port: int) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        self.got: list[tuple[str, str, float]] = []
        self.ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench_reader")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *rest: client.subscribe(f"{TOPIC}/#", qos=1)
        self._client.on_subscribe = lambda *rest: self.ready.set()
        self._client.on_disconnect = lambda *rest: self.ready.clear()
        self._client.on_message = lambda client, data, message: self.got.append(
            (message.topic, message.payload.decode(), time.monotonic())
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.ready.wait(10)

    def of(self, topic: str) -> list[str]:
        return [payload for found, payload, _ in list(self.got) if found == f"{TOPIC}/{topic}"]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def outputs(kills: int = 20) -> dict[str, float]:
    """Empty, and said, without mosquitto."""
    program = shutil.which("mosquitto") or ("/usr/sbin/mosquitto" if Path("/usr/sbin/mosquitto").exists() else "")
    if not program:
        print("no mosquitto: the outputs are not measured (apt install mosquitto)", file=sys.stderr)
        return {}
    with tempfile.TemporaryDirectory(prefix="face_af_broker_") as folder:
        broker = _Mosquitto(program, Path(folder))
        broker.start()
        outbox = Outbox()
        link = MqttLink(Broker("127.0.0.1", broker.port, "bench"), outbox, f"{TOPIC}/availability", lambda line: None)
        link.start()
        until(lambda: link.connected)
        reader = _Reader(broker.port)
        try:
            return {**_latency(outbox, reader), **_flood(outbox), **_kills(broker, outbox, link, reader, kills)}
        finally:
            link.close()
            reader.close()
            broker.kill()


def _latency(outbox: Outbox, reader: _Reader) -> dict[str, float]:
    """From the event to the subscriber, through the file of actions and its threads, at 20 a second."""
    file = parse(
        {"actions": {"a": {"when": "appears", "do": {"mqtt": {"topic": f"{TOPIC}/person", "payload": "{person}"}},
                           "min_gap_s": 0, "per_minute": 6000}}}, "bench")  # fmt: skip
    house = House(outbox, "bench", discovery=False)
    performer = Performer(file, outbox, house, Hands(lambda name: None, lambda count, gap: None), print)
    sent = {}
    for number in range(200):
        sent[str(number)] = time.monotonic()
        performer.happened([Event("appears", time.time(), str(number))])
        time.sleep(0.05)
    until(lambda: len(reader.of("person")) >= 200)
    performer.close()
    took = [1e3 * (at - sent[payload]) for topic, payload, at in list(reader.got) if topic == f"{TOPIC}/person"]
    return {
        "mqtt_events": len(took),
        "mqtt_p50_ms": round(float(np.quantile(took, 0.5)), 2),
        "mqtt_p95_ms": round(float(np.quantile(took, 0.95)), 2),
    }


def _flood(outbox: Outbox) -> dict[str, float]:
    """1,000 events a second for 3 s."""
    before = outbox.confirmed
    begun, longest = time.monotonic(), 0.0
    for number in range(3000):
        started = time.monotonic()
        outbox.event(f"{TOPIC}/flood", str(number).encode())
        longest = max(longest, time.monotonic() - started)
        time.sleep(max(0.0, begun + (number + 1) / 1000 - time.monotonic()))
    until(lambda: outbox.idle)
    return {
        "flood_confirmed": outbox.confirmed - before,
        "flood_dropped": outbox.dropped,
        "flood_longest_call_ms": round(1e3 * longest, 2),
    }


def _kills(broker: _Mosquitto, outbox: Outbox, link: MqttLink, reader: _Reader, kills: int) -> dict[str, float]:
    lost = 0
    for turn in range(kills):
        outbox.state(f"{TOPIC}/state", f"{turn} before".encode())
        outbox.event(f"{TOPIC}/event", f"{turn}".encode())
        broker.kill()
        outbox.state(f"{TOPIC}/state", f"{turn} between".encode())
        outbox.state(f"{TOPIC}/state", f"{turn} last".encode())
        until(lambda: not link.connected)
        broker.start()
        reader.ready.wait(10)
        lost += not until(lambda turn=turn: f"{turn} last" in reader.of("state"))  # type: ignore[misc]
        until(lambda: link.connected)
    states, events = reader.of("state"), reader.of("event")
    return {
        "mqtt_kills": kills,
        "mqtt_lost_states": lost,
        "mqtt_twice": len(states) - len(set(states)) + len(events) - len(set(events)),
        "mqtt_events_unconfirmed": outbox.unconfirmed,
    }
