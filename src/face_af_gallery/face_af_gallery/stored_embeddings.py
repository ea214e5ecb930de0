"""A gallery's embeddings in its folder: those of each member of an embedder in a file of their own.

Rows are embeddings by sample id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .files import GalleryFolder
from .model import EmbeddingModel, Sample

Rows = dict[str, NDArray[np.float32]]


def read_embeddings(files: GalleryFolder, embedder: EmbeddingModel) -> list[Rows]:
    """The rows of each member."""
    return [files.read_embeddings(member.model_id, member.dimension) for member in embedder.members]


def embed_missing(
    files: GalleryFolder,
    embedder: EmbeddingModel,
    missing: Sequence[Sample],
    stored: Sequence[Rows],
    progress: Callable[[int, int], None] | None,
) -> list[str]:
    """Adds to ``stored`` what members have not embedded yet, from the chips; the ids of samples without a chip.

    ``progress`` gets (done, of how many).
    """
    without = []
    for done, sample in enumerate(missing):
        picture = files.read_chip(sample.id)
        if picture is None:
            without.append(sample.id)
            continue
        for member, rows in zip(embedder.members, stored, strict=True):
            if sample.id not in rows:
                rows[sample.id] = member.embed(picture, [sample.landmarks], flip=True)[0]
        if progress is not None:
            progress(done + 1, len(missing))
    return without


def joined(embedder: EmbeddingModel, keys: Sequence[str], stored: Sequence[Rows]) -> Rows:
    """The embedder's own rows of the samples ``keys``, from those of each member."""
    if not keys:
        return {}
    rows = embedder.joined([np.stack([part[key] for key in keys]) for part in stored])
    return dict(zip(keys, rows, strict=True))


def write_embeddings(
    files: GalleryFolder,
    embedder: EmbeddingModel,
    embeddings: Mapping[str, NDArray[np.float32]],
    without: Collection[str] = (),
) -> None:
    """Each member's part of the embedder's rows, but of members (by ``model_id``) ``without``. Raises ``FileError``."""
    keys = list(embeddings)
    whole = np.array([embeddings[key] for key in keys], np.float32).reshape(-1, embedder.dimension)
    for member, rows in zip(embedder.members, embedder.parts(whole), strict=True):
        if member.model_id not in without:
            files.write_embeddings(member.model_id, dict(zip(keys, rows, strict=True)))
