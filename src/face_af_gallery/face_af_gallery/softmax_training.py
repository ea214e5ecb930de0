"""A softmax head on the embeddings, trained by epochs: the way of transfer learning, kept as a baseline.

Adam on mini-batches, a learning rate in steps, weight decay; a fifth of each person's photographs tells when to stop.
After every epoch everything that is needed to go on can be kept: a training that was resumed ends with the same numbers
as one that never stopped.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import Head
from .model import GalleryError
from .training_set import Frame, TrainingSet

FORMAT = 1
_ARRAYS = ("weights", "momentum", "spread", "best")


@dataclass(frozen=True)
class Schedule:
    """``rate`` falls to ``gamma`` of itself every ``step`` epochs; ``patience`` epochs without gain end it."""

    epochs: int = 25
    batch: int = 4
    rate: float = 1e-3
    step: int = 7
    gamma: float = 0.1
    decay: float = 1e-4
    patience: int = 8


class SoftmaxTraining:
    """Trains a head for the people of ``data``. ``content`` names the data, for checkpoints."""

    def __init__(self, data: TrainingSet, seed: int = 42, schedule: Schedule | None = None, content: str = "") -> None:
        self.schedule = schedule or Schedule()
        self.seed = seed
        self.content = content
        self._rng = np.random.default_rng(seed)
        self._frame = Frame(data)
        held = held_out(data, self._rng)
        self._train = self._inside(data, ~held)
        self._check = self._inside(data, held & data.original)
        counts = np.bincount(self._train[1], minlength=data.people)
        self._balance = counts.sum() / np.maximum(counts, 1) / data.people
        width = data.rows.shape[1] + 1
        self._state = {name: np.zeros((data.people, width)) for name in _ARRAYS}
        self.epoch = 0
        self._steps = 0
        self._best = (np.inf, 0)
        self.history: list[dict[str, float]] = []

    def _inside(self, data: TrainingSet, chosen: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        rows = self._frame.inside(data.rows[chosen]) * data.rows.shape[1] ** 0.5  # each number about 1
        return np.hstack([rows, np.ones((len(rows), 1))]), data.owners[chosen]

    @property
    def done(self) -> bool:
        """Whether all epochs are over, or nothing has been gained for long."""
        waited = self.epoch - self._best[1] if len(self._check[1]) else 0
        return self.epoch >= self.schedule.epochs or waited >= self.schedule.patience

    def run(self, after_epoch: Callable[[SoftmaxTraining], None] | None = None) -> Head:
        """Trains to the end; ``after_epoch`` is called after each epoch."""
        while not self.done:
            self.one_epoch()
            if after_epoch is not None:
                after_epoch(self)
        return self.head()

    def head(self) -> Head:
        """The best epoch's."""
        scale = (self._state["best"].shape[1] - 1) ** 0.5
        return self._frame.outside("softmax", self._state["best"][:, :-1] * scale, self._state["best"][:, -1])

    def one_epoch(self) -> None:
        """Every sample once, in an order drawn anew; then measures, and remembers the best epoch."""
        rows, owners = self._train
        plan = self.schedule
        rate = plan.rate * plan.gamma ** (self.epoch // plan.step)
        order = self._rng.permutation(len(rows))
        spent = 0.0
        for start in range(0, len(order), plan.batch):
            spent += self._step(
                rows[order[start : start + plan.batch]], owners[order[start : start + plan.batch]], rate
            )
        self.epoch += 1
        loss, right = self._measure(*self._check)
        trained = spent / max(1, len(rows))
        value = loss if len(self._check[1]) else trained
        if value < self._best[0]:
            self._best = (value, self.epoch)
            self._state["best"] = self._state["weights"].copy()
        figures = {"epoch": self.epoch, "rate": rate, "training_loss": trained, "loss": value, "accuracy": right}
        self.history.append(figures)

    def _step(self, rows: NDArray[Any], owners: NDArray[np.int64], rate: float) -> float:
        """One step of Adam (Kingma and Ba, 2015); the sum of the losses before it."""
        state, plan = self._state, self.schedule
        weights = state["weights"]
        chances = _softmax(rows @ weights.T)
        each = np.arange(len(rows))
        weight = self._balance[owners]
        loss = float((-np.log(np.maximum(chances[each, owners], 1e-12)) * weight).sum())
        chances[each, owners] -= 1
        gradient = (chances * weight[:, None]).T @ rows / len(rows) + plan.decay * weights
        self._steps += 1
        state["momentum"] += 0.1 * (gradient - state["momentum"])
        state["spread"] += 0.001 * (gradient**2 - state["spread"])
        mean, spread = state["momentum"] / (1 - 0.9**self._steps), state["spread"] / (1 - 0.999**self._steps)
        weights -= rate * mean / (np.sqrt(spread) + 1e-8)
        return loss

    def _measure(self, rows: NDArray[Any], owners: NDArray[np.int64]) -> tuple[float, float]:
        """Mean loss, balanced, and share of the rows told right."""
        if not len(rows):
            return 0.0, 0.0
        chances = _softmax(rows @ self._state["weights"].T)
        weight = self._balance[owners]
        loss = -np.log(np.maximum(chances[np.arange(len(rows)), owners], 1e-12)) * weight
        return float(loss.sum() / weight.sum()), float((chances.argmax(1) == owners).mean())

    # -- checkpoints -------------------------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Everything that going on needs: arrays and one JSON text."""
        about = {
            "format": FORMAT, "content": self.content, "seed": self.seed, "schedule": asdict(self.schedule),
            "epoch": self.epoch, "steps": self._steps, "best": self._best, "history": self.history,
            "random": self._rng.bit_generator.state,
        }  # fmt: skip
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8), **self._state}
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    def resume(self, data: bytes) -> None:
        """Goes on where a checkpoint was written. Raises :class:`GalleryError` where it does not fit."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                state = {name: np.array(arrays[name], np.float64) for name in _ARRAYS}
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']!r}")
            random = np.random.default_rng()
            random.bit_generator.state = about["random"]
            place = int(about["epoch"]), int(about["steps"]), (float(about["best"][0]), int(about["best"][1]))
            history = list(about["history"])
        except Exception as error:  # NumPy raises zipfile's and its own types
            raise GalleryError(f"a damaged checkpoint ({type(error).__name__}: {error})") from error
        if about["content"] != self.content or any(a.shape != self._state["best"].shape for a in state.values()):
            raise GalleryError("a checkpoint of another gallery, or of this one before it was changed")
        if {**about["schedule"], "epochs": 0} != {**asdict(self.schedule), "epochs": 0} or about["seed"] != self.seed:
            raise GalleryError("a checkpoint of a training with another seed or other rates; only --epochs may differ")
        self._state, self._rng, self.history = state, random, history
        self.epoch, self._steps, self._best = place


def held_out(data: TrainingSet, rng: np.random.Generator, share: float = 0.2) -> NDArray[np.bool_]:
    """The rows of ``share`` of each person's photographs, of which at least one stays; copies go with theirs."""
    held: list[int] = []
    for person in range(data.people):
        photos = rng.permutation(np.unique(data.photos[data.owners == person]))
        held += photos[: min(len(photos) - 1, max(1, round(share * len(photos))))].tolist()
    return np.isin(data.photos, held)


def _softmax(scores: NDArray[Any]) -> NDArray[Any]:
    found = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(found / found.sum(1, keepdims=True))
