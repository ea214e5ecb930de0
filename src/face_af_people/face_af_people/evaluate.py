"""``ros2 run face_af_people evaluate``: how well the models recognise the people on given photographs."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import metrics, open_set
from .models import add_model_options, complain, open_analyser
from .photos import PHOTO_SUFFIXES, PhotoError, meant_face, people_in, read_photo

if TYPE_CHECKING:
    from face_af_perception.analyser import AnalysedFace, FaceAnalyser

YES = {"yes", "1", "true", "same"}

EPILOG = """examples:
  evaluate --pairs pairs.csv                   columns: two photos, and Yes or No
  evaluate --people people                     a folder with one folder of photos a person
  evaluate --people identities.csv             columns: photo, person
  evaluate --pairs pairs.csv --people people --json out/figures.json --plots out/figures
Photos in a CSV file are looked for beside it. The largest face of each photo is taken."""


@dataclass
class Photos:
    """The meant face of each photograph, found once."""

    analyser: FaceAnalyser
    faces: dict[Path, AnalysedFace] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def load(self, paths: Sequence[Path]) -> None:
        """Finds and embeds the faces of photographs; those without one are noted in ``problems``."""
        from tqdm import tqdm

        wanted = [path for path in dict.fromkeys(paths) if path not in self.faces]
        for path in tqdm(wanted, unit="photo", desc="recognising", disable=None, leave=False):
            self._load(path)

    def _load(self, path: Path) -> None:
        from face_af_perception.detectors import PictureError

        try:
            picture = read_photo(path)
            found = meant_face(self.analyser.find(picture), path, largest=True)
            self.faces[path] = self.analyser.embed(picture, [found])[0]
        except (PhotoError, PictureError) as error:
            self.problems.append(str(error))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="evaluate", description=(__doc__ or "").split(": ", 1)[1], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--pairs", type=Path, metavar="CSV", help="verification: pairs of photos, same person or not")
    parser.add_argument("--people", type=Path, metavar="DIR_OR_CSV", help="open-set identification of these people")
    parser.add_argument("--enrol", type=int, nargs="+", default=[1, 2], metavar="K", help="photos enrolled (1 2)")
    parser.add_argument("--far", type=float, default=0.005, help="false-accept rate to aim at, 0 to 1 (0.005)")
    parser.add_argument("--repeats", type=int, default=50, help="random choices of the enrolled photos (50)")
    parser.add_argument("--split", action="store_true", help="count people whose photos look like several as several")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes all figures")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="writes roc.png, scores.png and open_set.png")
    add_model_options(parser)
    options = parser.parse_args(argv)
    if not options.pairs and not options.people:
        parser.error("--pairs or --people is needed")
    if not 0 <= options.far < 1 or min(options.enrol) < 1 or options.repeats < 1:
        parser.error("--far must be 0 to 1, --enrol and --repeats at least 1")

    from face_af_inference.runtimes import ModelError

    try:
        analyser = open_analyser(options)
        photos = Photos(analyser)
        report: dict[str, Any] = {
            "detector": analyser.detector.spec.model_id,
            "embedder": analyser.embedder.model_id,
            "threshold": round(analyser.embedder.threshold, 4),
            "far": options.far,
        }
        plots: dict[str, Any] = {}
        if options.pairs:
            report["verification"], plots["verification"] = verification(photos, read_pairs(options.pairs), options.far)
        if options.people:
            report["open_set"], plots["open_set"] = identification(photos, read_people(options.people), options)
    except (ModelError, PhotoError) as error:
        complain(error)
        return 2
    report["problems"] = photos.problems
    for line in photos.problems:
        complain(line)
    report["recommended"] = recommended(report, analyser)
    print(table(report))
    try:
        if options.json:
            from .identify import write_json

            write_json(options.json, report)
        if options.plots:
            from .evaluation_plots import write_plots

            write_plots(options.plots, plots, report)
    except OSError as error:
        complain(f"{error.filename or options.json or options.plots}: cannot be written ({error.strerror})")
        return 2
    return 0


def read_pairs(path: Path) -> list[tuple[Path, Path, bool]]:
    """Two photos and whether they show the same person, for each row of the file. Raises :class:`PhotoError`."""
    rows = [(path.parent / a, path.parent / b, word.strip().lower() in YES) for a, b, word in _rows(path, 3)]
    if len({same for _, _, same in rows}) < 2:
        raise PhotoError(f"{path}: both same and different pairs are needed (Yes and No in the third column)")
    return rows


def read_people(path: Path) -> dict[str, list[Path]]:
    """Each person's photos, of a folder of folders or a CSV file. Raises :class:`PhotoError`."""
    people: dict[str, list[Path]] = {}
    if path.is_dir():
        for name, paths in people_in(path).items():
            people[name] = [photo for photo in paths if photo.suffix.lower() in PHOTO_SUFFIXES]
    else:
        for photo, name in _rows(path, 2):
            people.setdefault(name, []).append(path.parent / photo)
    people = {name: paths for name, paths in people.items() if paths}
    if len(people) < 2:
        raise PhotoError(f"{path}: photos of at least two people are needed")
    return people


def _rows(path: Path, columns: int) -> list[list[str]]:
    """The rows of a CSV file below its heading."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row[:columns] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PhotoError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(rows) < 2 or any(len(row) < columns for row in rows):
        raise PhotoError(f"{path}: a heading and rows of {columns} columns are needed")
    return rows[1:]


def verification(
    photos: Photos, pairs: Sequence[tuple[Path, Path, bool]], far: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures and curves of telling pairs of the same person from others. Raises :class:`PhotoError`."""
    from face_af_gallery.matching import similarity

    photos.load([path for a, b, _ in pairs for path in (a, b)])
    usable = [(a, b, same) for a, b, same in pairs if a in photos.faces and b in photos.faces]
    scores = np.array(
        [
            similarity(photos.faces[a].embedding[None], photos.faces[b].embedding[None])[0, 0]
            for a, b, _ in usable
        ],
        np.float64,
    )  # fmt: skip
    same = np.array([s for _, _, s in usable], bool)
    if not same.any() or same.all():
        raise PhotoError("too few of the pairs' photos can be used")
    genuine, impostor = scores[same], scores[~same]
    curve = metrics.roc(genuine, impostor)
    error, error_at = curve.equal_error()
    accuracy, accuracy_at = metrics.best_accuracy(genuine, impostor)
    threshold = photos.analyser.embedder.threshold
    at_far = metrics.threshold_at(impostor, far, genuine)
    right = int((genuine >= threshold).sum() + (impostor < threshold).sum())
    figures = {
        "pairs": len(pairs),
        "unusable": len(pairs) - len(usable),
        "right_at_threshold": right,
        "accuracy_at_threshold": right / len(pairs),
        "best_accuracy": accuracy,
        "best_threshold": accuracy_at,
        "eer": error,
        "eer_threshold": error_at,
        "threshold_at_far": at_far,
        "true_accept_at_far": float((genuine >= at_far).mean()),
        "same_mean": float(genuine.mean()),
        "same_least": float(genuine.min()),
        "different_mean": float(impostor.mean()),
        "different_most": float(impostor.max()),
    }
    return figures, {"genuine": genuine, "impostor": impostor, "roc": curve}


def identification(
    photos: Photos, people: dict[str, list[Path]], options: argparse.Namespace
) -> tuple[dict[str, Any], list[open_set.OpenSet]]:
    """Figures of naming known people and refusing strangers. Raises :class:`PhotoError`."""
    from face_af_perception.params import RecognitionParams

    photos.load([path for paths in people.values() for path in paths])
    people = {name: [p for p in paths if p in photos.faces] for name, paths in people.items()}
    suspects = _suspects(photos, people)
    if options.split:
        people = {name: paths for name, paths in people.items() if name not in suspects} | {
            f"{name} ({number})": paths
            for name, parts in suspects.items()
            for number, paths in enumerate(parts, 1)
        }  # fmt: skip
    order = [path for paths in people.values() for path in paths]
    indices: dict[str, list[int]] = {}
    for index, name in enumerate(name for name, paths in people.items() for _ in paths):
        indices.setdefault(name, []).append(index)
    if len(indices) < 2:
        raise PhotoError("usable photos of at least two people are needed")
    threshold, margin = photos.analyser.embedder.threshold, RecognitionParams().margin
    score = scorer(photos, order)
    figures: dict[str, Any] = {
        "people": len(indices),
        "photos": len(order),
        "margin": margin,
        "rounds": options.repeats,
        "suspect_labels": {name: [[p.name for p in part] for part in parts] for name, parts in suspects.items()},
        "split": bool(options.split),
        "enrolled": {},
    }
    trials = []
    for count in options.enrol:
        trial = open_set.evaluate(indices, score, enrol=count, margin=margin, repeats=options.repeats)
        if not len(trial.known):
            raise PhotoError(f"nobody has more than {count} usable photos, so that none is left to try")
        at_far = metrics.limit_at(trial.strangers, options.far)
        named, wrong, false = trial.rates(at_far)
        own_named, own_wrong, own_false = trial.rates(threshold)
        figures["enrolled"][str(count)] = {
            "known_trials": len(trial.known),
            "stranger_trials": len(trial.strangers),
            "first": float(trial.right.mean()),
            "recommended": metrics.threshold_at(trial.strangers, options.far, trial.known[trial.right]),
            "at_far": {"threshold": at_far, "named": named, "misnamed": wrong, "false_accepts": false},
            "at_threshold": {
                "threshold": threshold, "named": own_named, "misnamed": own_wrong, "false_accepts": own_false,
            },
        }  # fmt: skip
        trials.append(trial)
    return figures, trials


def scorer(photos: Photos, order: Sequence[Path]) -> open_set.Scorer:
    """Scores probes with the gallery that the node uses."""
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import CHIP_SIZE, Chip

    rows = np.stack([photos.faces[path].embedding for path in order])

    def score(enrolled: list[tuple[str, int]], probes: list[int]) -> tuple[list[str], NDArray[np.float32]]:
        gallery = Gallery(None, photos.analyser.embedder)
        for name, index in enrolled:
            face = photos.faces[order[index]]
            # the gallery tells samples apart by their chips; the photo's number will do
            chip = np.zeros((CHIP_SIZE, CHIP_SIZE, 3), np.uint8)
            chip[0, 0] = (index & 255, index >> 8 & 255, index >> 16)
            gallery.add(name, Chip(chip, face.landmarks), face.embedding, face.quality)
        return gallery.names, gallery.scores(rows[probes])

    return score


def _suspects(photos: Photos, people: dict[str, list[Path]]) -> dict[str, list[list[Path]]]:
    """People whose photos fall into groups of at least two that look like different people, with these groups."""
    from .enrolment import groups

    found = {}
    for name, paths in people.items():
        if len(paths) < 4:
            continue
        rows = np.stack([photos.faces[path].embedding for path in paths])
        parts = groups(rows, photos.analyser.embedder.threshold)
        if sum(len(part) > 1 for part in parts) > 1:
            found[name] = [[paths[i] for i in part] for part in parts]
    return found


def recommended(report: dict[str, Any], analyser: FaceAnalyser) -> dict[str, float]:
    """Thresholds for the perception node: the stricter of what pairs and strangers ask for at the aimed-at rate."""
    from face_af_perception.recognition import HYSTERESIS

    asked = []
    if "verification" in report:
        asked.append(report["verification"]["threshold_at_far"])
    if "open_set" in report:
        asked += [figures["recommended"] for figures in report["open_set"]["enrolled"].values()]
    enter = max(asked)
    below = enter - HYSTERESIS * (enter - analyser.embedder.strangers)
    return {"recognition.enter": round(enter, 3), "recognition.exit": round(below, 3)}


def table(report: dict[str, Any]) -> str:
    """The figures as text."""
    percent = "{:.1%}".format
    lines = [f"{report['detector']} + {report['embedder']}, threshold {report['threshold']:.3f}"]
    rate = percent(report["far"])
    if "verification" in report:
        v = report["verification"]
        lines += [
            "",
            f"verification      {v['right_at_threshold']} of {v['pairs']} pairs right at the model's threshold"
            + (f", {v['unusable']} unusable" if v["unusable"] else ""),
            f"  same person     {v['same_mean']:.3f} on average, {v['same_least']:.3f} at least",
            f"  different       {v['different_mean']:.3f} on average, {v['different_most']:.3f} at most",
            f"  equal error     {percent(v['eer'])} at {v['eer_threshold']:.3f}",
            f"  best accuracy   {percent(v['best_accuracy'])} at {v['best_threshold']:.3f}",
            f"  at {rate} false   {percent(v['true_accept_at_far'])} accepted from {v['threshold_at_far']:.3f} on",
        ]
    if "open_set" in report:
        o = report["open_set"]
        lines += ["", f"open set          {o['people']} people, {o['photos']} photos, {o['rounds']} random choices"]
        for name, parts in o["suspect_labels"].items():
            shown = " | ".join(" ".join(part) for part in parts)
            counted = "counted as several" if o["split"] else "--split counts them as several"
            lines.append(f"  {name}: the photos look like {len(parts)} people ({counted}): {shown}")
        lines.append("  enrolled  trials known/strangers  threshold      named  misnamed  strangers named")
        for count, figures in o["enrolled"].items():
            trials = f"{figures['known_trials']}/{figures['stranger_trials']}"
            for key, note in (("at_far", f"at {rate}"), ("at_threshold", "model's")):
                f = figures[key]
                lines.append(
                    f"  {count:>8}  {trials:>22}  {f['threshold']:.3f} {note:8} {percent(f['named']):>6}"
                    f"  {percent(f['misnamed']):>8}  {percent(f['false_accepts']):>15}"
                )
    lines += ["", "recommended: " + ", ".join(f"{name} {value}" for name, value in report["recommended"].items())]
    return "\n".join(lines)
