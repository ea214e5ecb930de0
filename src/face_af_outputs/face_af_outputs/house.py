"""What a house sees over MQTT: one topic a person, one a camera, events, and Home Assistant's discovery.

::

    face_af/<id>/availability        online | offline (last will; retained)
    face_af/<id>/camera              {"connected", "state", "target", "focus"} (retained)
    face_af/<id>/person/<name>       {"name", "present", "target", "focus", "speaking"} (retained)
    face_af/<id>/event               {"event", "person", "state", "time", "id"}
    homeassistant/device/face_af_<id>/config

Names and events only: never an image, a sound or an embedding.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from .events import Event, Observer
from .outbox import Outbox

DISCOVERY = "homeassistant"
MAX_PEOPLE = 100
"""People with a topic of their own."""


def slug(name: str) -> str:
    """A name as a part of a topic: ``[a-z0-9_]``, different for different names."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if plain == name:
        return plain
    return f"{plain[:40]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}".lstrip("_")


class House:
    """Writes the observer's view into an outbox."""

    def __init__(self, outbox: Outbox, device: str, discovery: bool = True) -> None:
        self._outbox, self._device, self._discovery = outbox, device, discovery
        self.root = f"face_af/{device}"
        self._people: set[str] = set()
        self._events = 0

    @property
    def availability(self) -> str:
        return f"{self.root}/availability"

    def show(self, seen: Observer) -> None:
        """The states as they are now; the outbox sends only what has changed."""
        present, speaking = set(seen.present), set(seen.speaking)
        named = present | speaking | ({seen.target, seen.focus} - {""})
        new = sorted(named - self._people)[: MAX_PEOPLE - len(self._people)]
        if new or (not self._people and self._discovery):
            self._people |= set(new)
            if self._discovery:
                self._outbox.state(f"{DISCOVERY}/device/face_af_{self._device}/config", self._config())
        for name in sorted(self._people):
            state = {
                "name": name,
                "present": name in present,
                "target": name == seen.target,
                "focus": name == seen.focus,
                "speaking": name in speaking,
            }
            self._outbox.state(f"{self.root}/person/{slug(name)}", _json(state))
        camera = {
            "connected": seen.camera_connected,
            "state": seen.state,
            "target": seen.target,
            "focus": seen.focus,
        }
        self._outbox.state(f"{self.root}/camera", _json(camera))

    def tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._outbox.event(f"{self.root}/event", self.payload(event))

    def payload(self, event: Event) -> bytes:
        """An event as JSON; ``id`` counts from 1, so that a reader notices what is missing."""
        self._events += 1
        return _json(
            {
                "event": event.kind,
                "person": event.person,
                "state": event.state,
                "time": round(event.time, 3),
                "id": self._events,
            }
        )

    def _config(self) -> bytes:
        """Home Assistant's description of the device (``homeassistant/device/<id>/config``)."""
        unique = f"face_af_{self._device}"
        camera = f"{self.root}/camera"
        parts = {
            "state": {"p": "sensor", "name": "Steering", "state_topic": camera, "value_template": _value("state")},
            "target": {"p": "sensor", "name": "Target", "state_topic": camera, "value_template": _value("target")},
            "focus": {"p": "sensor", "name": "In focus", "state_topic": camera, "value_template": _value("focus")},
            "camera": {
                "p": "binary_sensor",
                "name": "Camera",
                "device_class": "connectivity",
                "state_topic": camera,
                "value_template": _yes("connected"),
            },
        }
        for name in sorted(self._people):
            topic = f"{self.root}/person/{slug(name)}"
            for key, words in (("present", "seen"), ("focus", "in focus"), ("speaking", "speaks")):
                parts[f"{slug(name)}_{key}"] = {
                    "p": "binary_sensor",
                    "name": f"{name} {words}",
                    "state_topic": topic,
                    "value_template": _yes(key),
                }
        for key, part in parts.items():
            part["unique_id"] = f"{unique}_{key}"
        return _json(
            {
                "dev": {"ids": unique, "name": f"face_af {self._device}"},
                "o": {"name": "face_af"},
                "availability_topic": self.availability,
                "qos": 1,
                "cmps": parts,
            }
        )


def _value(key: str) -> str:
    return f"{{{{ value_json.{key} or 'none' }}}}"


def _yes(key: str) -> str:
    return f"{{{{ 'ON' if value_json.{key} else 'OFF' }}}}"


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
