"""The images of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from face_af_common.files import replacing
from face_af_gallery import metrics


def write_plots(folder: Path, curves: dict[str, Any], report: dict[str, Any]) -> list[Path]:
    """Writes what ``curves`` allows of ``roc.png``, ``scores.png``, ``open_set.png``. Raises ``OSError``."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    written: list[Path] = []
    title = f"{report['detector'].split(':')[0]} + {report['embedder'].split(':')[0]}"

    def save(figure: Any, name: str) -> None:
        figure.suptitle(title)
        figure.tight_layout()
        with replacing(folder / name) as part:
            figure.savefig(part, dpi=110, format="png")
        plt.close(figure)
        written.append(folder / name)

    if "verification" in curves:
        pairs = curves["verification"]
        figure, axes = plt.subplots(figsize=(6, 4.5))
        axes.plot(np.maximum(pairs["roc"].false_accept, 1e-4), pairs["roc"].true_accept, drawstyle="steps-post")
        axes.set(xscale="log", xlabel="different people accepted", ylabel="same person accepted", ylim=(0.5, 1.01))
        axes.grid(alpha=0.3)
        save(figure, "roc.png")
        figure, axes = plt.subplots(figsize=(6, 4.5))
        bins = np.linspace(-0.4, 1, 71)
        axes.hist(pairs["impostor"], bins, alpha=0.7, label="different people")
        axes.hist(pairs["genuine"], bins, alpha=0.7, label="same person")
        axes.axvline(report["threshold"], color="black", linestyle="--", label="the model's threshold")
        axes.set(xlabel="similarity", ylabel="pairs")
        axes.legend()
        save(figure, "scores.png")
    if "open_set" in curves:
        figure, axes = plt.subplots(figsize=(6, 4.5))
        for trial in curves["open_set"]:
            right = np.where(trial.right, trial.known, -3.0)
            curve = metrics.roc(right, trial.strangers)
            shown = curve.threshold > -1.5
            axes.plot(
                np.maximum(curve.false_accept[shown], 1e-4), curve.true_accept[shown], drawstyle="steps-post",
                label=f"{trial.enrolled} enrolled",
            )  # fmt: skip
        axes.axvline(report["far"], color="black", linestyle="--")
        axes.set(xscale="log", xlabel="strangers named", ylabel="known people named rightly", ylim=(0.5, 1.01))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
        save(figure, "open_set.png")
    return written
