"""Pictures with plain-coloured squares for faces, and an analyser that finds and tells them apart. No weights needed.

A square's hue says who it is, its brightness which photograph; pale enough not to be taken for stage light.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from face_af_common.types import Box
from face_af_inference.model_entry import ModelEntry
from face_af_inference.model_files import ModelSpec
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.detectors import Detection
from face_af_perception.embedders import Embedder

HUES = {"anna": 10, "bert": 40, "cleo": 70, "dora": 100, "emil": 130, "fred": 160}


def photo(path: Path, *faces: tuple[str, int], light: int = 200, size: int = 400) -> Path:
    """Writes a picture with faces of (name, side in pixels) side by side."""
    picture = np.zeros((size, size * max(1, len(faces)), 3), np.uint8)
    for index, (name, side) in enumerate(faces):
        color = cv2.cvtColor(np.array([[[HUES[name], 180, light]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
        picture[60 : 60 + side, index * size + 60 : index * size + 60 + side] = color
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)
    return path


class SquareDetector:
    """Finds bright squares."""

    size = (640, 384)

    def detect(self, bgr: np.ndarray, size: object = None) -> list[Detection]:
        count, _, stats, _ = cv2.connectedComponentsWithStats((bgr.max(2) > 60).astype(np.uint8))
        found = []
        for x, y, width, height, area in stats[1:count]:
            if area > 200:
                points = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.35, 0.75], [0.65, 0.75]], np.float32)
                landmarks = points * (width, height) + (x, y)
                box = Box(float(x), float(y), float(width), float(height))
                found.append(Detection(box, 0.9, landmarks.astype(np.float32)))
        return found

    # the steps that the pipeline times apart
    def prepare(self, bgr: np.ndarray) -> np.ndarray:
        return bgr

    def infer(self, prepared: np.ndarray) -> np.ndarray:
        return prepared

    def decode(self, outputs: np.ndarray, prepared: np.ndarray) -> list[Detection]:
        return self.detect(outputs)


class HueRunner:
    """An embedding network: 16 numbers that depend on the colour in the middle of a chip."""

    name, precision = "hue", "fp32"
    input_shape = (None, 3, 112, 112)
    output_names = ("y",)

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        middle = batch[:, :, 56, 56]  # RGB
        picture = np.clip(middle[:, None, ::-1], 0, 255).astype(np.uint8)
        hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)[:, 0].astype(np.float32)
        centers = np.arange(16) * 180 / 16
        apart = np.abs(hsv[:, :1] - centers)
        rows = np.exp(-((np.minimum(apart, 180 - apart) / 12) ** 2))
        rows += 0.15 * np.sin(hsv[:, 2:] / 9 + np.arange(16))
        return [rows.astype(np.float32)]

    def close(self) -> None: ...


def analyser() -> FaceAnalyser:
    entry = ModelEntry("hue", "embedder", "arcface", "hue", size=(112, 112), alignment="arcface", threshold=0.5)
    spec = ModelSpec(**{k: getattr(entry, k) for k in ModelEntry.__dataclass_fields__}, digest="0" * 64)
    template = np.array([[38, 52], [74, 52], [56, 72], [42, 92], [70, 92]], np.float32)
    made = FaceAnalyser(SquareDetector(), Embedder(spec, HueRunner(), template, (0.0, 0.0, 0.0), 1.0))  # type: ignore[arg-type]
    made.detector.spec = SimpleNamespace(model_id="squares:0")  # type: ignore[assignment]
    return made


def run(tool: object, *arguments: object) -> int:
    """What a tool's ``main`` returns for these arguments."""
    return tool.main([str(argument) for argument in arguments])  # type: ignore[attr-defined,no-any-return]
