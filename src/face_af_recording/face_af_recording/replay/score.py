"""How good a replay was: time on target, presses, flicker, and against truth where there is any."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from face_af_common.files import regular, told
from face_af_common.names import canonical_name
from face_af_common.types import AfBox, Box, Face

from ..bag.bag_folder import RecordingError
from ..label_scoring import found, judge_names
from .frames import Frame, TruthFrame

COLUMNS = ("frame", "name", "x", "y", "width", "height")


def read_truth(path: Path) -> dict[int, dict[str, Box]]:
    """Labels from CSV with the columns frame (counted from 0), name, x, y, width, height (pixels); by frame number."""
    found: dict[int, dict[str, Box]] = {}
    try:
        with regular(path).open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if missing := set(COLUMNS) - set(rows.fieldnames or ()):
                raise RecordingError(f"{path}: column {', '.join(sorted(missing))} is missing")
            for row in rows:
                try:
                    box = Box(*(float(row[name]) for name in COLUMNS[2:]))
                    found.setdefault(int(row["frame"]), {})[canonical_name(row["name"])] = box
                except (TypeError, ValueError) as error:
                    raise RecordingError(f"{path}, line {rows.line_num}: {error}") from error
    except OSError as error:
        raise RecordingError(told(error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path} cannot be read ({error})") from error
    return found


def label(frames: Sequence[Frame], truth: Mapping[int, dict[str, Box]], target: str) -> None:
    """Puts labels onto frames by their number; a frame without a row has no labels."""
    target = canonical_name(target)
    for number, frame in enumerate(frames):
        boxes = truth.get(number)
        frame.truth = None if boxes is None else TruthFrame(boxes, target, None, target in boxes)


def score(frames: Sequence[Frame]) -> dict[str, Any]:
    """Figures of a replay. Shares are 0 to 1; None where there is nothing to measure.

    ``on_target``: of the frames with the target in the picture, those in which the camera's chosen box sits on
    it. Presses of a replay move no camera: they show what would have been asked for, not its effect.
    """
    seconds = (frames[-1].stamp_ns - frames[0].stamp_ns) / 1e9 if len(frames) > 1 else 0.0
    seen = [frame for frame in frames if frame.target_face is not None and frame.boxes is not None]
    presses = sum(len(frame.actions) for frame in frames)
    needless = sum(len(frame.actions) for frame in frames if on_target(frame))
    changes, flicker = _identity_changes(frames)
    figures: dict[str, Any] = {
        "frames": len(frames),
        "seconds": round(seconds, 3),
        "target_seen": _share([frame.target_face is not None for frame in frames if frame.faces is not None]),
        "on_target": _share([on_target(frame) for frame in seen]),
        "presses": presses,
        "presses_per_minute": round(presses * 60 / seconds, 3) if seconds > 0 else None,
        "presses_while_right": needless,
        "identity_changes": changes,
        "flicker": flicker,
        "focus_changes": _focus_changes(frames),
    }
    labelled = [frame for frame in frames if frame.truth is not None and frame.faces is not None]
    if labelled:
        figures.update(_against_truth(labelled))
    return figures


def on_target(frame: Frame) -> bool:
    """Whether the camera's chosen box sits on the target's face."""
    face = frame.target_face
    return face is not None and any(box.chosen and _on_face(box, face) for box in frame.boxes or ())


def _on_face(box: AfBox, face: Face) -> bool:
    x, y = box.box.center
    return face.box.grown(0.15).contains(x, y)


def _identity_changes(frames: Sequence[Frame]) -> tuple[int, int]:
    """How often a track's name changed to another name, and how often it came or went."""
    names: dict[int, str] = {}
    changes = flicker = 0
    for frame in frames:
        for face in frame.faces or ():
            before = names.get(face.track_id)
            if before is not None and before != face.identity:
                changes += bool(before and face.identity)
                flicker += not (before and face.identity)
            names[face.track_id] = face.identity
    return changes, flicker


def _focus_changes(frames: Sequence[Frame]) -> int:
    on = [on_target(frame) for frame in frames if frame.faces is not None and frame.boxes is not None]
    return sum(a != b for a, b in itertools.pairwise(on))


def _against_truth(frames: Sequence[Frame]) -> dict[str, Any]:
    seen: list[bool] = []
    recognised: list[bool] = []
    focused: list[bool] = []
    wrong = 0
    for frame in frames:
        truth, faces = frame.truth, frame.faces or ()
        assert truth is not None
        seen += [found(box, faces) for box in truth.boxes.values()]
        named, misnamed = judge_names(list(truth.boxes.items()), truth.target, faces)
        wrong += misnamed
        if truth.target in truth.boxes:
            recognised.append(named)
            focused.append(named and on_target(frame))
    return {
        "faces_found": _share(seen),
        "recognised": _share(recognised),
        "wrong_identity": wrong,
        "on_target_truth": _share(focused),
    }


def _share(values: Sequence[bool]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
