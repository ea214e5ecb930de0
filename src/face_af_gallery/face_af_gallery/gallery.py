"""The people who are known: their samples, and who of them a face resembles most."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_af_common.files import FileError
from face_af_common.names import canonical_name

from .calibration import SECOND
from .classifier import GUARD, Classifier, content
from .matching import Index, Lead
from .model import EmbeddingModel, Embeddings, GalleryError, Match
from .sample_store import SampleStore
from .stored_embeddings import joined, read_embeddings, write_embeddings

FEW = 50
"""Samples in a gallery for which a model's threshold was measured: a dozen people with a few photographs each."""
FEWEST = 5
"""Samples down to which the threshold falls in small galleries, of embedders that count the lead over the second."""
AT_ONCE = 2
"""Upper halves of new samples that are embedded at once: about 20 ms each on a processor."""


def growth(samples: int, embedder: EmbeddingModel) -> float:
    """How far the threshold of a gallery with so many samples lies above the embedder's; see ``above``.

    Among more, some stranger will always be nearer to one: a tenth of the threshold's distance from strangers with
    every tenfold of samples. Among fewer than :data:`FEW` it falls as much where that was measured.
    """
    return 0.1 * math.log10(max(samples, FEWEST if embedder.lead else FEW) / FEW)


class Gallery(SampleStore):
    """The samples of a :class:`SampleStore` as an index to search: names and similarities for embeddings."""

    def __init__(self, folder: Path | None, embedder: EmbeddingModel) -> None:
        super().__init__(folder, embedder)
        self._index: Index | None = None
        self._fitting: tuple[int, Classifier | None] = (-1, None)
        self._content = (-1, "")
        self._upper: Gallery | None = None
        self._upper_version = -1
        self._all_masked = False

    @property
    def names(self) -> list[str]:
        """Everybody of whom there is at least one sample that shows them, sorted."""
        return self._matcher().names

    @property
    def threshold(self) -> float:
        """Similarity from which on a face may be given a name: the embedder's own, and :func:`growth`."""
        return self.embedder.above(self._growth)

    @property
    def _growth(self) -> float:
        return growth(self._matcher().size, self.embedder)

    @property
    def floor(self) -> float:
        """Similarity to the nearest sample below which no classifier gives a name."""
        return self.embedder.above(self._growth - GUARD)

    @property
    def content(self) -> str:
        """A name for who is in the gallery with which samples."""
        if self._content[0] != self.version:
            self._content = self.version, content(self._samples.values(), self.model_id)
        return self._content[1]

    @property
    def classifier(self) -> Classifier | None:
        """The classifier that was trained on just these samples, if there is one."""
        if self._fitting[0] != self.version:
            made = self._trained
            fits = made is not None and list(made.names) == self.names and made.content == self.content
            self._fitting = self.version, made if fits else None
        return self._fitting[1]

    def scores(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """N x P similarities of N embeddings to the P people in the order of :attr:`names`.

        A person's similarity is that to their nearest sample (of thousands of people, it is exact for the nearest ones
        and an estimate for the rest). Where a negative sample of the person is nearer still,
        the face is not that person, and the similarity falls by as much as the negative is nearer, and below 0.
        With a :attr:`classifier` it is the classifier's, on the same scale.
        """
        rows = np.asarray(embeddings, np.float32)
        nearest = self._matcher().scores(rows)
        if self.classifier is None or not nearest.size:
            return nearest
        limit, low = self.threshold, self.embedder.above(-1.0)
        return self.classifier.scores(rows, nearest, limit=limit, low=low, slack=limit - self.floor)

    def nearest(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """N x P similarities to each person's nearest sample, without :attr:`lead` and classifier."""
        return self._matcher().nearest(np.asarray(embeddings, np.float32))

    @property
    def lead(self) -> Lead:
        """What :meth:`scores` adds to :meth:`nearest`."""
        return self._matcher().lead

    def column(self, name: str) -> int | None:
        """A person's column in :meth:`scores`; None for a person who is not known."""
        return self._matcher().place.get(canonical_name(name))

    def match(self, embeddings: Embeddings) -> list[Match]:
        """The best person for each row of ``embeddings`` (N x D)."""
        scores = self.scores(embeddings)
        names = self._matcher().names
        if not names:
            return [Match("", -1.0, -1.0)] * len(embeddings)
        best = scores.argmax(1)
        rows = np.arange(len(scores))
        top = scores[rows, best]
        if len(names) > 1:
            scores[rows, best] = -2
            second = scores.max(1)
        else:
            second = np.full(len(scores), -1.0)
        return [Match(names[b], float(t), float(s)) for b, t, s in zip(best, top, second, strict=True)]

    def _matcher(self) -> Index:
        if self._index is None:
            lead = Lead(self.embedder.lead, self.embedder.above(-SECOND))
            shown = [s for s in self.samples() if not s.masked or self._all_masked]
            worn = {s.id: self._embeddings[s.id][None] for s in shown if s.masked}
            rows = self._embeddings | {key: self.embedder.unmasked(row)[0] for key, row in worn.items()}
            self._index = Index(shown, rows, self.embedder.dimension, lead, self.embedder.masked_less)
        return self._index

    @property
    def upper(self) -> Gallery | None:
        """The same people by the upper halves of their faces, photographs with masks included.

        None where the model knows no upper halves.
        The first call embeds them from their chips, and keeps the embeddings beside the others. Of samples that come
        later each call embeds :data:`AT_ONCE` at most: a frame may be waiting.
        """
        model = self.embedder.upper
        if model is None:
            return None
        if self._upper is None or self._upper_version != self.version:
            self._upper, complete = self._upper_gallery(model, self._upper)
            if complete:
                self._upper_version = self.version
        return self._upper

    def _upper_gallery(self, model: EmbeddingModel, before: Gallery | None) -> tuple[Gallery, bool]:
        """The gallery of upper halves, and whether everybody is in it."""
        result = Gallery(None, model)
        result._all_masked = True
        known = dict(before._embeddings) if before is not None else {}
        stored = {} if self._files is None or known else self._stored_upper(model)
        most = len(self._samples) if before is None else AT_ONCE
        new, complete = 0, True
        for sample in self.samples():
            row = known.get(sample.id)
            if row is None:
                row = stored.get(sample.id)
            if row is None:
                if new == most:
                    complete = False
                    continue
                chip = self.chip(sample)
                if chip is None:
                    continue
                whole = self._embeddings[sample.id][None]
                row = self.embedder.embed_upper(chip.picture, [chip.landmarks], whole, flip=True)[0]
                new += 1
            result.add_embedded(sample, row)
        if new and complete and self._files is not None:
            with contextlib.suppress(GalleryError, FileError, OSError), self._files.locked(0.0):
                write_embeddings(self._files, model, result._embeddings, [m.model_id for m in self.embedder.members])
        return result, complete

    def _stored_upper(self, model: EmbeddingModel) -> dict[str, NDArray[np.float32]]:
        stored = read_embeddings(self._folder_files, model)
        keys = [key for key in self._samples if all(key in rows for rows in stored)]
        return joined(model, keys, stored)

    def _changed(self) -> None:
        super()._changed()
        self._index = None
