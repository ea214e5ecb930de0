"""The images of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from face_af_common.files import replacing
from face_af_gallery import metrics

from .open_set import OpenSet


def write_plots(folder: Path, curves: dict[str, Any], report: dict[str, Any]) -> list[Path]:
    """Writes what there is of ``roc``, ``scores``, ``open_set``, ``compared_detectors`` and ``compared_recognisers``
    (``.png``). Raises ``OSError``."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    written: list[Path] = []
    title = f"{report['detector'].split(':')[0]} + {report['embedder'].split(':')[0]}"

    def save(name: str, draw: Callable[[Any], None], title: str = title) -> None:
        figure, axes = plt.subplots(figsize=(6, 4.5))
        draw(axes)
        figure.suptitle(title)
        figure.tight_layout()
        with replacing(folder / name) as part:
            figure.savefig(part, dpi=110, format="png")
        plt.close(figure)
        written.append(folder / name)

    if "verification" in curves:
        save("roc.png", lambda axes: _roc(axes, curves["verification"]["roc"]))
        save("scores.png", lambda axes: _scores(axes, curves["verification"], report["threshold"]))
    if "open_set" in curves:
        save("open_set.png", lambda axes: _open_set(axes, curves["open_set"], report["far"]))
    if "compared" in report:
        found, named = report["compared"]["detectors"], report["compared"]["recognisers"]
        save("compared_detectors.png", lambda axes: _compared(axes, found, "found", "faces found"), "detectors")
        at = f"people named at {report['far']:.1%} strangers"
        save("compared_recognisers.png", lambda axes: _compared(axes, named, "named", at), "recognisers")
    return written


def _roc(axes: Any, curve: metrics.Roc) -> None:
    axes.plot(np.maximum(curve.false_accept, 1e-4), curve.true_accept, drawstyle="steps-post")
    axes.set(xscale="log", xlabel="different people accepted", ylabel="same person accepted", ylim=(0.5, 1.01))
    axes.grid(alpha=0.3)


def _scores(axes: Any, pairs: dict[str, Any], threshold: float) -> None:
    bins = np.linspace(-0.4, 1, 71)
    axes.hist(pairs["impostor"], bins, alpha=0.7, label="different people")
    axes.hist(pairs["genuine"], bins, alpha=0.7, label="same person")
    axes.axvline(threshold, color="black", linestyle="--", label="the model's threshold")
    axes.set(xlabel="similarity", ylabel="pairs")
    axes.legend()


def _open_set(axes: Any, trials: Sequence[OpenSet], far: float) -> None:
    for trial in trials:
        right = np.where(trial.right, trial.known, -3.0)
        curve = metrics.roc(right, trial.strangers)
        shown = curve.threshold > -1.5
        axes.plot(
            np.maximum(curve.false_accept[shown], 1e-4), curve.true_accept[shown], drawstyle="steps-post",
            label=f"{trial.enrolled} enrolled",
        )  # fmt: skip
    axes.axvline(far, color="black", linestyle="--")
    axes.set(xscale="log", xlabel="strangers named", ylabel="known people named rightly", ylim=(0.5, 1.01))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def _compared(axes: Any, rows: Sequence[dict[str, Any]], key: str, label: str) -> None:
    """A bar a method: what it achieves; beside it how long it takes, and its memory."""
    names = [row["name"] for row in rows]
    axes.barh(names, [100 * row[key] for row in rows], height=0.6)
    for number, row in enumerate(rows):
        note = f" {row[key]:.0%}, {row['milliseconds']:.0f} ms, {row['memory_mb']:.0f} MB"
        axes.text(100 * row[key], number, note, va="center", fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel=f"{label}, %", xlim=(0, 160), xticks=range(0, 101, 20))
