"""``./run bench unmask_fit FOLDER``: fits what a whole face is guessed to be from a masked one, on drawn masks.

FOLDER has photographs of faces without masks; people with more than one have a folder of their own. Each gives its
largest face, bare and with several masks, and all are embedded. To see how well it does, people are left out in turn:
how many of their masked faces are told to be those of their other photographs, at so many false ones.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from fit_options import chosen_photographs, fit_parser
from masked_faces import looks
from numpy.typing import NDArray

from face_af_common.files import write_json
from face_af_common.paths import model_dirs
from face_af_gallery.matching import similarity
from face_af_gallery.model import Embeddings
from face_af_perception import unmasking
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.embedders import Embedder, FaceModel

RIDGE = 0.05
"""The penalty, in units of the masked rows' mean variance."""
PARTS = 5
"""People are left out in so many parts."""
FALSE = (0.01, 0.001)
"""Shares of other people's faces that count as the same, at which it is judged."""


@dataclass(frozen=True)
class Faces:
    """Rows of ``masked`` faces (upper halves first, then the whole, by each member) and of the same ones ``bare``
    (N x 2D, N x D), whose they are, and of which photograph."""

    masked: NDArray[np.float32]
    bare: NDArray[np.float32]
    who: NDArray[np.str_]
    photo: NDArray[np.int64]

    def part(self, chosen: NDArray[np.bool_]) -> Faces:
        return Faces(self.masked[chosen], self.bare[chosen], self.who[chosen], self.photo[chosen])


def embedded(analyser: FaceAnalyser, files: Sequence[Path], folders: Sequence[Path], seed: int, copies: int) -> Faces:
    """``copies`` masked looks of each photograph's largest face, beside its bare one."""
    wholes = analyser.embedder.members
    halves = [half for half in (m.upper for m in wholes) if half is not None]
    masked, bare, who, photos = [], [], [], []
    seen, clear = -1, np.empty(0, np.float32)
    for look in looks(analyser, files, seed, 1, copies):
        points = [look.face.landmarks]
        whole = np.concatenate([m.embed(look.bgr, points, flip=True)[0] for m in wholes])
        if not look.covered:
            seen, clear = look.photo, whole
        elif look.photo == seen:
            masked.append(np.concatenate([*(half.embed(look.bgr, points, flip=True)[0] for half in halves), whole]))
            bare.append(clear)
            person = look.file.parent
            who.append(str(look.file if person in folders else person))
            photos.append(look.photo)
    return Faces(np.array(masked, np.float32), np.array(bare, np.float32), np.array(who), np.array(photos))


def told(scores: NDArray[np.float64], faces: Faces) -> list[float]:
    """Shares of the pairs of two photographs of one person that score higher than all but :data:`FALSE` of those of two
    people; empty where nobody has two."""
    same = faces.who[:, None] == faces.who[None]
    others, own = np.sort(scores[~same])[::-1], scores[same & (faces.photo[:, None] != faces.photo[None])]
    return [float((own > others[int(share * len(others))]).mean()) for share in FALSE] if own.size else []


def log_odds(
    members: Sequence[Embedder], probes: Sequence[Embeddings], bare: Sequence[Embeddings]
) -> NDArray[np.float64]:
    """N x N, all members added up."""
    total = np.zeros((len(probes[0]), len(bare[0])))
    for member, probe, face in zip(members, probes, bare, strict=True):
        total += member.calibration.log_odds(similarity(probe, face))
    return total


def left_out(model: FaceModel, faces: Faces, sizes: dict[str, int]) -> dict[str, list[float]]:
    """Shares told of people whom the fit did not see: as masked faces are, and as they are guessed to be bare."""
    members, ends = model.members, np.cumsum([*sizes.values(), *sizes.values()])[:-1]
    people = np.unique(faces.who)
    part_of = dict(zip(people, np.random.default_rng(0).permutation(len(people)) % PARTS, strict=True))
    part = np.array([part_of[who] for who in faces.who])
    results: dict[str, list[list[float]]] = {"masked, as they are": [], "guessed to be bare": []}
    for i in range(PARTS):
        test = faces.part(part == i)
        if len(np.unique(test.who)) < 2:
            continue
        fitted = unmasking.fit(faces.masked[part != i], faces.bare[part != i], sizes, RIDGE)
        split = np.split(test.masked, ends, axis=1)
        halves, wholes = split[: len(sizes)], split[len(sizes) :]
        guessed = [m.normalised(rows) for m, rows in zip(members, fitted.whole(halves, wholes), strict=True)]
        bare = np.split(test.bare, ends[: len(sizes) - 1], axis=1)
        for name, probes in zip(results, (wholes, guessed), strict=True):
            if shares := told(log_odds(members, probes, bare), test):
                results[name].append(shares)
    return {name: [float(value) for value in np.mean(shares, 0)] for name, shares in results.items() if shares}


def main(argv: Sequence[str] | None = None) -> int:
    parser = fit_parser("unmask_fit", __doc__, 2, unmasking.FITTED)
    options = parser.parse_args(argv)
    try:
        files = chosen_photographs(options.folder, options.most, options.seed)
    except NotADirectoryError as error:
        parser.error(str(error))
    cv2.setNumThreads(1)
    analyser = FaceAnalyser.open(model_dirs=model_dirs())
    model = analyser.embedder
    if any(member.upper is None for member in model.members):
        parser.error(f"{model.name}: upper halves must have been measured for every member")
    faces = embedded(analyser, files, options.folder, options.seed, options.copies)
    if len(np.unique(faces.who)) < 2 * PARTS:
        parser.error(f"faces of {2 * PARTS} people are needed; there are {len(np.unique(faces.who))}")
    if len(np.unique(faces.photo)) == len(np.unique(faces.who)):
        parser.error("two photographs of some people, in a folder of their own, are needed; there is one of each")
    sizes = {member.model_id: member.dimension for member in model.members}
    report = left_out(model, faces, sizes)
    print(f"{len(files)} photographs, {len(faces.who)} masked faces; told by other photographs of people left out:")
    for name, shares in report.items():
        print(f"  {name}: " + ", ".join(f"{s:.1%} at {f:.1%} false" for s, f in zip(shares, FALSE, strict=True)))
    if options.report is not None:
        write_json(options.report, {"false": list(FALSE), **report})
    if options.write:
        unmasking.fit(faces.masked, faces.bare, sizes, RIDGE).save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
