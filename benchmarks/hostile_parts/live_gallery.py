"""Damaged files in the gallery of the running graph: nobody is forgotten, and the good file is taken up again."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from face_af_common.files import write_bytes
from face_af_msgs import srv

from .graph import Attack
from .mutations import mutated
from .stranger import Stranger

_SEEN_S = 0.5
"""So long each damaged file lies there; perception looks several times a second."""
_BACK_S = 12.0
_WILD = (b"[" * 200_000, b'{"people": ' + b"9" * 5000 + b"}", b'{"\\ud800": 1}', b"", b"\0" * 1_000_000)


def attack(attack: Attack, stranger: Stranger, gallery: Path, rounds: int, rng: random.Random) -> None:
    """A kind of try for each kind of file."""
    client = stranger.create_client(srv.ListPeople, "list_people")
    client.wait_for_service(10.0)

    def people() -> list[str]:
        answer = stranger.answers(client, [srv.ListPeople.Request()])[0]
        return sorted(person.identity for person in answer.people) if answer is not None else []

    known = people()
    chip = sorted((gallery / "chips").iterdir())[0]
    for path in (gallery / "gallery.json", chip, sorted(gallery.glob("embeddings-*.npz"))[0]):
        good = path.read_bytes()
        json = (gallery / "gallery.json").read_bytes()

        def made(good: bytes = good) -> bytes:
            return rng.choice(_WILD) if rng.random() < 0.1 else mutated(good, rng)

        def put(inputs: Sequence[Any], path: Path = path, good: bytes = good, json: bytes = json) -> list[str]:
            for data in inputs:
                write_bytes(path, data, private=True)
                write_bytes(gallery / "gallery.json", data if path.name == "gallery.json" else json, private=True)
                time.sleep(_SEEN_S)
            forgotten = [] if path.name == "gallery.json" else set(known) - set(people())
            write_bytes(path, good, private=True)
            write_bytes(gallery / "gallery.json", json, private=True)
            end = time.monotonic() + _BACK_S
            while people() != known and time.monotonic() < end:
                time.sleep(0.1)
            if people() != known:
                return [f"no answer with the good file: {people()} instead of {known}"] * len(inputs)
            return ["forgotten meanwhile" if forgotten else "kept"] * len(inputs)

        name = "chip" if path is chip else path.name.partition("-")[0]
        attack.tries(f"{name} of the running graph", made, put, 4, rounds=max(rounds // 20, 1))
