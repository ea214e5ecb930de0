"""``ros2 run face_af_people map``: a map of a gallery's faces, which shows wrong labels at a glance."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from face_af_common.paths import gallery_dir

from .models import add_model_options, complain, open_analyser

_MOST_LINES = 20


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="map", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("gallery", nargs="?", type=Path, default=gallery_dir(), metavar="GALLERY", help="its folder")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for map.png, .html, .json (GALLERY/derived)")
    parser.add_argument("--most", type=int, default=2000, help="samples shown at most, chosen at random (2000)")
    parser.add_argument("--seed", type=int, default=42, help="of everything that is random (42)")
    add_model_options(parser)
    options = parser.parse_args(argv)

    from face_af_common.files import FileError
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError
    from face_af_inference.runtimes import ModelError

    try:
        analyser = open_analyser(options)
        return _map(Gallery.open(options.gallery, analyser.embedder), options)
    except (GalleryError, ModelError, FileError) as error:
        complain(error)
        return 2


def _map(gallery: object, options: argparse.Namespace) -> int:
    import numpy as np

    from face_af_common import files
    from face_af_gallery.files import GalleryFolder
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError

    from . import face_map

    assert isinstance(gallery, Gallery) and gallery.folder is not None
    samples = [sample for sample in gallery.samples() if not sample.negative]
    if options.most < face_map.FEWEST or len(samples) < face_map.FEWEST:
        raise GalleryError(f"a map needs at least {face_map.FEWEST} samples; {gallery.folder} has {len(samples)}")
    rows = np.stack([gallery.embedding(sample) for sample in samples])
    outliers, overlaps = face_map.findings(samples, rows, gallery.threshold)
    if len(samples) > options.most:
        chosen = np.sort(np.random.default_rng(options.seed).choice(len(samples), options.most, replace=False))
        print(f"{options.most} of {len(samples)} samples are shown; all are looked at for what is listed")
        samples, rows = [samples[i] for i in chosen], rows[chosen]
    places = face_map.place(rows, options.seed)
    folder = options.out or GalleryFolder(gallery.folder).derived
    files.make_private(folder)
    face_map.write_png(folder / "map.png", places, samples, {outlier.sample.id for outlier in outliers})
    page = face_map.page(gallery, places, samples, outliers, overlaps)
    files.write_text(folder / "map.html", page, private=True)
    files.write_text(folder / "map.json", face_map.report(outliers, overlaps), private=True)
    for o in outliers[:_MOST_LINES]:
        print(o.text())
    for pair in overlaps[:_MOST_LINES]:
        print(pair.text())
    print(f"{len(outliers)} samples look mislabelled, {len(overlaps)} pairs of people overlap: {folder / 'map.html'}")
    return 0
