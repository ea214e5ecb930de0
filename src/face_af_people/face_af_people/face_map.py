"""A map on which alike faces lie near one another, and what it shows: wrong labels, people who overlap."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import Embeddings, Sample

FEWEST = 4
PRINCIPAL = 50
"""Directions of the most variation that t-SNE looks at."""
_THUMBNAIL = 56


@dataclass(frozen=True)
class Outlier:
    """A sample that is more alike to another person (``other``) than to its own person's other samples."""

    sample: Sample
    own: float
    """Similarity to the nearest other sample of the person; -1 where there is none."""
    other: str
    alike: float

    def text(self) -> str:
        """A line for people."""
        shown = f"{self.sample.identity} {self.sample.id}: more like {self.other} ({self.alike:.2f})"
        return f"{shown} than like the others of {self.sample.identity} ({self.own:.2f})"


@dataclass(frozen=True)
class Overlap:
    """Two people of whom samples are as alike as one person's (the gallery's threshold)."""

    first: str
    second: str
    pairs: int
    most: float

    def text(self) -> str:
        """A line for people."""
        return (
            f"{self.first} and {self.second} overlap: {self.pairs} pairs of samples, similarity up to {self.most:.2f}"
        )


def place(rows: Embeddings, seed: int = 42) -> NDArray[np.float32]:
    """N x 2: places on the map, 0 to 1, by t-SNE after PCA."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    reduced = PCA(min(PRINCIPAL, *unit.shape), random_state=seed).fit_transform(unit.astype(np.float64))
    perplexity = min(30.0, (len(rows) - 1) / 3)
    # a first placing by PCA, so that the same gallery gives the same map
    start = reduced[:, :2] / max(float(reduced[:, 0].std()), 1e-9) * 1e-4
    found = TSNE(perplexity=perplexity, init=start, learning_rate=200.0, random_state=seed).fit_transform(reduced)
    low, high = found.min(0), found.max(0)
    return np.asarray((found - low) / np.maximum(high - low, 1e-9), np.float32)


def findings(samples: Sequence[Sample], rows: Embeddings, threshold: float) -> tuple[list[Outlier], list[Overlap]]:
    """Samples that look mislabelled, the worst first, and people who overlap, the most alike first."""
    from face_af_gallery.matching import similarity

    names = np.array([sample.identity for sample in samples])
    outliers: list[Outlier] = []
    pairs: dict[tuple[str, str], tuple[int, float]] = {}
    for start in range(0, len(rows), 500):
        block = similarity(rows[start : start + 500], rows)
        for offset, alike in enumerate(block):
            index = start + offset
            same = names == names[index]
            alike[index] = -1.0
            others = np.where(same, -1.0, alike)
            best = int(others.argmax())
            own = float(alike[same].max())
            if others[best] > max(own, -1.0) and others[best] >= threshold:
                outliers.append(Outlier(samples[index], own, str(names[best]), float(others[best])))
            for near in np.flatnonzero(others >= threshold):
                if near > index:
                    first, second = sorted((str(names[index]), str(names[near])))
                    count, most = pairs.get((first, second), (0, -1.0))
                    pairs[first, second] = count + 1, max(most, float(alike[near]))
    overlaps = [Overlap(*who, *figures) for who, figures in pairs.items()]
    return sorted(outliers, key=lambda o: o.own - o.alike), sorted(overlaps, key=lambda o: -o.most)


def write_png(path: Path, places: NDArray[np.float32], samples: Sequence[Sample], wrong: set[str]) -> None:
    """Points in one colour a person, the name in their middle; rings around ``wrong``. Raises ``FileError``."""
    import matplotlib

    from face_af_common.files import replacing

    from .training_report import plain

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = sorted({sample.identity for sample in samples})
    number = np.array([names.index(sample.identity) for sample in samples])
    figure, axes = plt.subplots(figsize=(9, 9))
    axes.scatter(*places.T, c=number, cmap="hsv", vmin=0, vmax=len(names), s=22)
    ringed = np.array([sample.id in wrong for sample in samples])
    axes.scatter(*places[ringed].T, s=160, facecolors="none", edgecolors="black")
    if len(names) <= 60:
        for index, name in enumerate(names):
            axes.annotate(plain(name), np.median(places[number == index], 0), ha="center", fontsize=8)
    axes.set(xticks=[], yticks=[])
    figure.tight_layout()
    with replacing(path, private=True) as target:
        figure.savefig(target, dpi=100)
    plt.close(figure)


def page(
    gallery: Gallery,
    places: NDArray[np.float32],
    samples: Sequence[Sample],
    outliers: Sequence[Outlier],
    overlaps: Sequence[Overlap],
) -> str:
    """One self-contained HTML page: a thumbnail at each place, its person's colour around it; what was found below."""
    names = sorted({sample.identity for sample in samples})
    wrong = {outlier.sample.id for outlier in outliers}
    faces = []
    for sample, (x, y) in zip(samples, places, strict=True):
        number = names.index(sample.identity)
        hue = round(360 * number / len(names))
        note = f"{sample.identity} {sample.id}"
        mark = " class=wrong" if sample.id in wrong else ""
        faces.append(
            f'<img{mark} alt="" title="{html.escape(note, quote=True)}" src="{_thumbnail(gallery, sample)}" '
            f'data-person="{number}" style="left:{x:.2%};top:{1 - y:.2%};border-color:hsl({hue} 80% 45%)">'
        )
    lines = [outlier.text() for outlier in outliers]
    both = [overlap.text() for overlap in overlaps]
    filled = _PAGE.replace("@FACES@", "\n".join(faces)).replace("@NAMES@", _options(names))
    return filled.replace("@OUTLIERS@", _list(lines)).replace("@OVERLAPS@", _list(both))


def _options(names: Sequence[str]) -> str:
    return "".join(f"<option value={number}>{html.escape(name)}</option>" for number, name in enumerate(names))


def _list(lines: Sequence[str]) -> str:
    return "".join(f"<li>{html.escape(line)}</li>" for line in lines) or "<li>none</li>"


def _thumbnail(gallery: Gallery, sample: Sample) -> str:
    import cv2

    chip = gallery.chip(sample)
    if chip is None:
        return "data:,"
    small = cv2.resize(chip.picture[28:228, 28:228], (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def report(outliers: Sequence[Outlier], overlaps: Sequence[Overlap]) -> str:
    """What was found, as JSON."""
    data: dict[str, Any] = {
        "outliers": [
            {"person": o.sample.identity, "sample": o.sample.id, "own": o.own, "other": o.other, "alike": o.alike}
            for o in outliers
        ],
        "overlaps": [vars(o) for o in overlaps],
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


_PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>Map of faces</title>
<meta http-equiv=Content-Security-Policy
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
body{font:15px sans-serif;margin:1rem}
#map{position:relative;height:85vh;margin:40px;background:#f4f4f4}
#map img{position:absolute;width:36px;height:36px;border:3px solid;border-radius:4px;transform:translate(-50%,-50%)}
#map img.wrong{outline:3px dashed #000;z-index:1}
#map img:hover{width:112px;height:112px;z-index:2}
#map img.dim{opacity:.12}
</style>
<h1>Map of faces</h1>
<p>Alike faces lie near one another. Dashed: more like another person than like their own person.
<label>Show <select id=who><option value="">everybody</option>@NAMES@</select></label></p>
<div id=map>@FACES@</div>
<h2>Samples that look mislabelled</h2><ul>@OUTLIERS@</ul>
<h2>People who overlap</h2><ul>@OVERLAPS@</ul>
<script>
document.getElementById("who").onchange = event => {
  for (const face of document.querySelectorAll("#map img"))
    face.classList.toggle("dim", event.target.value !== "" && face.dataset.person !== event.target.value);
};
</script>
</html>
"""
