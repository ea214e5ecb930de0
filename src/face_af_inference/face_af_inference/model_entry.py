"""One model as a manifest describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("detector", "embedder", "person", "voice_activity", "voice_embedder")

FAMILIES = {
    "detector": ("scrfd", "centerface", "mtcnn", "ssd", "haar", "hog"),
    "embedder": ("arcface", "dlib", "facenet"),
    "person": ("yolox",),
    "voice_activity": ("silero",),
    "voice_embedder": ("ge2e",),
}


@dataclass(frozen=True)
class Source:
    """Where a file can be downloaded: ``url``, or the file ``member`` inside the ZIP archive at ``url``."""

    url: str
    member: str = ""


@dataclass(frozen=True)
class ModelEntry:
    """One model as the manifest describes it; :class:`ModelSpec` is the same with its file found."""

    name: str
    kind: str
    """One of :data:`KINDS`."""
    family: str
    """Which code decodes it, see :data:`FAMILIES`."""
    file: str
    """File name inside a model folder, or path inside ``package``; absolute paths are taken as they are."""
    group: str = ""
    """A second name that several entries share, best first (``scrfd``, ``mobilefacenet``)."""
    package: str = ""
    """The Python package that brings the file."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further files that it needs, by role."""
    sha256: str = ""
    """Empty: not checked."""
    source: Source | None = None
    licence: str = ""
    size: tuple[int, int] | None = None
    """Width and height of the input; None: any (detectors: multiples of 32)."""
    color: str = "rgb"
    mean: float = 0.0
    std: float = 1.0
    """A pixel p enters the network as ``(p - mean) / std``."""
    landmarks: int = 0
    """Landmarks that a detector gives: 5, or 0."""
    score: float = 0.5
    """A detector's default score threshold, 0 to 1."""
    nms: float = 0.4
    """A detector's default overlap (IoU) above which the weaker of two boxes is dropped."""
    alignment: str = ""
    """How faces are cut for an embedder: ``arcface`` (five-point template) or ``dlib``."""
    embedding_size: int = 0
    metric: str = "cosine"
    """``cosine`` (similarity, higher = more alike) or ``euclidean`` (distance, lower = more alike)."""
    threshold: float = 0.0
    """In the metric's own terms: two faces on the alike side of it are taken for one person's."""
    calibration: tuple[float, float] | None = None
    """Slope and offset: log-odds of "same person" = slope x similarity + offset, as ``evaluate --calibrate`` fits them;
    the similarity is ``1 - d^2 / 2`` with the Euclidean distance d."""
    upper: tuple[float, float, float, float] | None = None
    """For faces with masks, compared by their upper halves: threshold, strangers' mean, slope and offset of the
    similarity ``1 - d^2 / 2``; None: masked faces are not named."""
    edit: tuple[str, ...] = ()
    """Changes to the graph before use: ``dynamic_size``, ``dynamic_batch``."""
