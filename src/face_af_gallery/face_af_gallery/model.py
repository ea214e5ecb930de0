"""What a gallery is made of: samples of people, the chips that they are embedded from, and the answers it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from face_af_common.images import BGR
from face_af_common.names import JOINERS, canonical_name

from .calibration import PublishedScale

CHIP_SIZE = 256
"""Width and height of a gallery's chips, pixels."""
MAX_NAME = 100
"""Characters in a person's name."""

Points = NDArray[np.float32]
"""5 x 2: x, y of left eye, right eye, nose, left and right mouth corner (left as seen in the image)."""

Embeddings = NDArray[np.float32]
"""N x D, one row a face."""


class GalleryError(ValueError):
    """A gallery that cannot be read, written or used; one line that says which, why and what to do."""


@dataclass(frozen=True)
class Chip:
    """An aligned face: ``picture`` (256 x 256 BGR) and the five landmarks in it. See
    ``face_af_perception.alignment.gallery_chip``."""

    picture: BGR
    landmarks: Points


@dataclass(frozen=True)
class Sample:
    """One enrolled face of ``identity``; ``negative``: a face that is *not* this person. ``masked``: it wears a mask,
    and is compared with masked faces only."""

    id: str
    identity: str
    quality: float
    negative: bool
    landmarks: Points
    added: str = ""
    masked: bool = False


@dataclass(frozen=True)
class Match:
    """The best person for one face, whatever the threshold. Empty identity: the gallery has nobody."""

    identity: str
    similarity: float
    second: float
    """Similarity to the second best person; -1 where there is none."""


class EmbeddingModel(Protocol):
    """What a gallery needs of a model, or of several that work as one.

    ``model_id`` names the weights, ``dimension`` the numbers of an embedding; ``strangers`` is the similarity of two
    unrelated people on average. ``lead``: how much of the lead over the second best person is added to a similarity
    (0: none). ``masked_less``: what is taken off the similarity to an enrolled face with a mask: masks are alike.
    ``margin``: the lead over the second best person that a name needs, as a similarity.
    """

    model_id: str
    dimension: int
    strangers: float
    lead: float
    masked_less: float
    margin: float

    @property
    def members(self) -> Sequence[EmbeddingModel]:
        """The single models, whose embeddings a gallery keeps in files of their own; of a single one itself."""
        ...

    def joined(self, parts: Sequence[Embeddings]) -> Embeddings:
        """N x D rows from those of each member."""
        ...

    def parts(self, rows: Embeddings) -> list[Embeddings]:
        """The reverse of :meth:`joined`."""
        ...

    @property
    def upper(self) -> EmbeddingModel | None:
        """The same model for the upper halves of faces that wear masks; None where there is none."""
        ...

    @property
    def scale(self) -> PublishedScale:
        """From the model's own similarities to those that people see."""
        ...

    def above(self, fraction: float) -> float:
        """The model's threshold, raised by a fraction of its distance from strangers (less than 0: lowered)."""
        ...

    def embed_upper(self, bgr: BGR, landmarks: Sequence[Points], rows: Embeddings, flip: bool = False) -> Embeddings:
        """Embeddings by :attr:`upper`, which must be there; ``rows``: those of the same faces by this model."""
        ...

    def unmasked(self, rows: Embeddings) -> Embeddings:
        """What rows by an :attr:`upper` of faces that wear masks are guessed to be without the masks."""
        ...

    def embed(self, bgr: BGR, landmarks: Sequence[Points], flip: bool = False) -> Embeddings:
        """N x D embeddings of the faces whose five landmarks are given; ``flip``: averaged with the mirror image's."""
        ...


def checked_name(name: str) -> str:
    """A person's name in its canonical form; :class:`GalleryError` where it is empty, too long or not printable."""
    if len(name) > 10 * MAX_NAME:
        raise GalleryError(f"a name of {len(name)} characters; at most {MAX_NAME} are allowed")
    name = canonical_name(name)
    visible = name.translate(dict.fromkeys(map(ord, JOINERS)))
    if not visible or len(name) > MAX_NAME or not visible.isprintable():
        raise GalleryError(f"{name[:MAX_NAME]!r} cannot be a name: 1 to {MAX_NAME} printable characters are needed")
    return name
