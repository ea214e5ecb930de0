"""What a training says about itself: which method names how many, whom each takes for whom, and pictures of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from face_af_gallery.cross_validation import Result
    from face_af_gallery.training import Training
    from face_af_gallery.training_set import TrainingSet

_MOST_DRAWN = 40


def text(training: Training, data: TrainingSet) -> str:
    """The figures, a line for each method, and for each person whom the used method does not always name rightly."""
    lines = [f"{len(training.names)} people, {int(data.original.sum())} photographs"]
    if training.results:
        lines.append("method       named  misnamed  strangers named")
    for name, result in training.results.items():
        f = result.rates()
        lines.append(f"{name:10} {f['named']:>7.1%} {f['misnamed']:>9.1%} {f['strangers_named']:>16.1%}")
    if training.results:
        f = next(iter(training.results.values())).rates()
        lines.append(f"of {f['trials']} photographs of known people and {f['strangers']} of strangers, none trained on")
    lines.append(f"used: {training.classifier.method} ({training.reason})")
    used = training.results.get(training.classifier.method)
    if used is not None:
        for name, right, wrong, nobody in per_person(used, training.names):
            if wrong or nobody:
                lines.append(f"  {name}: {right} right, {wrong} as another person, {nobody} not named")
    return "\n".join(lines)


def per_person(result: Result, names: Sequence[str]) -> list[tuple[str, int, int, int]]:
    """Each person's trials: named rightly, wrongly, not at all."""
    table = confusion(result, len(names))
    return [
        (name, int(table[i, i]), int(table[i, :-1].sum() - table[i, i]), int(table[i, -1]))
        for i, name in enumerate(names)
    ]


def confusion(result: Result, people: int) -> NDArray[np.int64]:
    """(P + 1) x (P + 1) trials: row who it is, column who was named; the last row strangers, the last column nobody."""
    table = np.zeros((people + 1, people + 1), np.int64)
    np.add.at(table, (result.owner, result.named), 1)
    return table


def write_report(folder: Path, training: Training, data: TrainingSet) -> Path:
    """Writes ``report.json`` and, for each method tried, ``confusion-METHOD.png``. Raises ``FileError``."""
    from face_af_common import files

    files.make_private(folder)
    report: dict[str, Any] = {
        "used": training.classifier.method,
        "reason": training.reason,
        "people": len(training.names),
        "photographs": int(data.original.sum()),
        "problems": list(training.problems),
        "methods": {
            name: result.rates()
            | {
                "people": {
                    person: {"right": right, "as_somebody_else": wrong, "not_named": nobody}
                    for person, right, wrong, nobody in per_person(result, training.names)
                }
            }
            for name, result in training.results.items()
        },
    }
    whole = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    files.write_text(folder / "report.json", whole, private=True)
    for name, result in training.results.items():
        _draw_confusion(folder / f"confusion-{name}.png", name, confusion(result, len(training.names)), training.names)
    return folder


def _draw_confusion(path: Path, method: str, table: NDArray[np.int64], names: Sequence[str]) -> None:
    """The table as a picture; of many people, those who are taken for a person or for nobody most often."""
    from face_af_common.files import replacing

    plt = _pyplot()
    wrong = table.sum(1) - np.diagonal(table) + table.sum(0) - np.diagonal(table)
    shown = np.sort(np.argsort(-wrong[:-1], kind="stable")[:_MOST_DRAWN])
    title = method if len(shown) == len(names) else f"{method}: the {len(shown)} most confused of {len(names)} people"
    shown = np.append(shown, len(names))
    part = table[np.ix_(shown, shown)]
    share = part / np.maximum(table[shown].sum(1, keepdims=True), 1)
    side = 3 + 0.24 * len(shown)
    figure, axes = plt.subplots(figsize=(side, side))
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(part), strict=True):
        color = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, int(part[row, column]), ha="center", va="center", fontsize=7, color=color)
    labels = [plain(names[i]) for i in shown[:-1]]
    axes.set_xticks(range(len(shown)), [*labels, "nobody"], rotation=90, fontsize=7)
    axes.set_yticks(range(len(shown)), [*labels, "strangers"], fontsize=7)
    axes.set(xlabel="named", ylabel="is", title=title)
    figure.tight_layout()
    with replacing(path, private=True) as target:
        figure.savefig(target, dpi=100)
    plt.close(figure)


def write_curves(folder: Path, history: Sequence[dict[str, float]]) -> None:
    """Writes ``learning_curves.png``. Raises ``FileError``."""
    from face_af_common.files import replacing

    plt = _pyplot()
    epochs = [f["epoch"] for f in history]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
    left.plot(epochs, [f["training_loss"] for f in history], label="training")
    left.plot(epochs, [f["loss"] for f in history], label="held out")
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    left.legend()
    right.plot(epochs, [f["accuracy"] for f in history])
    right.set(xlabel="epoch", ylabel="held-out photographs told right", ylim=(0, 1.02))
    figure.tight_layout()
    with replacing(folder / "learning_curves.png", private=True) as target:
        figure.savefig(target, dpi=100)
    plt.close(figure)


def plain(name: str) -> str:
    """A name that Matplotlib does not take for a formula, short enough for a label."""
    return name.replace("$", r"\$") if len(name) <= 24 else name[:22].replace("$", r"\$") + "…"


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt
