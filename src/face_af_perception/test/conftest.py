"""A small world without weights: people are patches of one colour, whom a fake detector and a fake embedder know."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from face_af_common.paths import model_dirs
from face_af_common.types import Box
from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError
from face_af_perception.alignment import ARCFACE
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.detectors import Detection
from face_af_perception.embedders import Embedder

sys.path.insert(0, str(Path(__file__).parent))  # modules that several tests share

from real_faces import Media

COLOURS = {
    "anna": (200, 60, 60),
    "bert": (60, 200, 60),
    "cleo": (60, 60, 200),
    "dora": (200, 200, 60),
}
DIMENSION = 32


class ColourRunner:
    """Embeds a chip by its mean colour: the same colour gives the same direction, others are unrelated."""

    name = "fake"
    input_shape = (None, 3, 112, 112)
    any_size = True
    output_names = ("embedding",)
    precision = "fp32"

    def __init__(self) -> None:
        self.batches: list[int] = []
        self._basis = np.random.default_rng(3).standard_normal((len(COLOURS), DIMENSION)).astype(np.float32)

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        self.batches.append(len(batch))
        mean = batch[:, :, 40:72, 40:72].mean((2, 3)) * 127.5 + 127.5  # RGB
        known = np.array([c[::-1] for c in COLOURS.values()], np.float32)
        weights = np.exp(-(np.linalg.norm(mean[:, None] - known[None], axis=2) ** 2) / 4000)
        return [(weights @ self._basis + 1e-3).astype(np.float32)]

    def close(self) -> None: ...


class Scene:
    """Who is where; draws the frame and tells the fake detector."""

    def __init__(self, size: tuple[int, int] = (640, 360), places: dict[str, Box] | None = None) -> None:
        # no dataclass: pytest 6 imports this file without a name that one could look up
        self.size = size
        self.places = places or {}
        self.hidden: set[str] = set()

    def frame(self) -> np.ndarray:
        picture = np.full((self.size[1], self.size[0], 3), 128, np.uint8)
        for name, box in self.places.items():
            if name not in self.hidden:
                top, left = max(0, int(box.y)), max(0, int(box.x))
                part = picture[top : int(box.bottom + box.height), left : int(box.right)]
                part[:] = COLOURS[name]
                part[::6] = np.clip(np.array(COLOURS[name]) + 25, 0, 255)  # something sharp
        return picture

    def detections(self) -> list[Detection]:
        found = []
        for name, box in self.places.items():
            if name not in self.hidden:
                points = ARCFACE / 112 * np.array([box.width, box.height]) + np.array([box.x, box.y])
                found.append(Detection(box, 0.9, points.astype(np.float32)))
        return found


class SceneDetector:
    """Reports what the scene says."""

    size = (640, 384)

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.calls = 0

    def prepare(self, bgr: np.ndarray, size: tuple[int, int] | None = None) -> object:
        return None

    def infer(self, prepared: object) -> list[np.ndarray]:
        self.calls += 1
        return []

    def decode(self, outputs: Sequence[np.ndarray], prepared: object) -> list[Detection]:
        return self.scene.detections()

    def detect(self, bgr: np.ndarray, size: tuple[int, int] | None = None) -> list[Detection]:
        return self.scene.detections()


def arcface_spec(name: str = "colours", **changes: object) -> ModelSpec:
    values: dict[str, object] = {
        "kind": "embedder",
        "family": "arcface",
        "file": "",
        "size": (112, 112),
        "mean": 127.5,
        "std": 127.5,
        "threshold": 0.4,
        "digest": "0123456789abcdef",
    }
    return ModelSpec(name=name, **{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def make_embedder() -> Callable[..., Embedder]:
    def make(name: str = "colours", **changes: object) -> Embedder:
        return Embedder(arcface_spec(name, **changes), ColourRunner(), ARCFACE, (127.5,) * 3, 127.5)

    return make


@pytest.fixture
def embedder(make_embedder: Callable[..., Embedder]) -> Embedder:
    return make_embedder()


@pytest.fixture
def analyser(scene: Scene, embedder: Embedder) -> FaceAnalyser:
    return FaceAnalyser(SceneDetector(scene), embedder)  # type: ignore[arg-type]


@pytest.fixture
def portrait() -> Iterator[object]:
    """A function that draws somebody alone: (picture, landmarks)."""

    def draw(name: str) -> tuple[np.ndarray, np.ndarray]:
        alone = Scene((200, 200), {name: Box(40, 40, 112, 112)})
        return alone.frame(), alone.detections()[0].landmarks

    yield draw


@pytest.fixture(scope="session")
def test_faces() -> Path:
    folder = os.environ.get("FACE_AF_TEST_FACES", "")
    if not folder or not (Path(folder) / "pairs.csv").is_file():
        pytest.skip("FACE_AF_TEST_FACES names no folder with photographs and pairs.csv")
    return Path(folder)


def _folder(variable: str, proof: str) -> Path:
    folder = Path(os.environ.get(variable, "") or "/nonexistent")
    if not (folder / proof).is_file():
        pytest.skip(f"{variable} names no folder with {proof}")
    return folder


@pytest.fixture(scope="session")
def media() -> Media:
    return Media(_folder("FACE_AF_TEST_MEDIA", "short_hamilton_clip.mp4"))


@pytest.fixture(scope="session")
def cases() -> Path:
    return _folder("FACE_AF_TEST_CASES", "ghost.avi")


SETS = {
    "scrfd": ("scrfd", "mobilefacenet"),
    "centerface": ("centerface", "dlib"),
    "ensemble": ("scrfd", "mobilefacenet+dlib"),
}


@pytest.fixture(scope="session", params=list(SETS))
def models(request: pytest.FixtureRequest) -> FaceAnalyser:
    """Real networks: InsightFace's where their files are, the embedded default ones, and two embedders as one."""
    detector, embedder = SETS[str(request.param)]
    if detector == "scrfd" and not os.environ.get("FACE_AF_MODEL_DIR"):
        pytest.skip("FACE_AF_MODEL_DIR names no folder with SCRFD and MobileFaceNet")
    try:
        return FaceAnalyser.open(detector, embedder, model_dirs=model_dirs(), runtime="onnxruntime-cpu")
    except ModelError as error:
        pytest.skip(str(error))
