"""``ros2 run face_af_people train``: trains a classifier on the people of a gallery, which then gives the names."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from face_af_common.paths import gallery_dir

from .models import add_model_options, complain, open_analyser

if TYPE_CHECKING:
    from face_af_gallery.classifier import Head
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.training import Options
    from face_af_gallery.training_set import TrainingSet

CHECKPOINT = "checkpoint.npz"
EPILOG = """methods:
  auto       the best of nearest, mean, svm and logistic by cross-validation, strangers held out
  nearest    the nearest sample: as without training, which this takes back
  svm-pairs  one machine for each pair of people, with votes: an older system's, for comparison
  softmax    a softmax layer trained by epochs: another's"""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)

    from face_af_common.files import FileError
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError
    from face_af_inference.runtimes import ModelError

    try:
        analyser = open_analyser(options)
        gallery = Gallery.open(options.gallery, analyser.embedder)
        return _train(gallery, options)
    except (GalleryError, ModelError, FileError) as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        complain("stopped; the gallery is as it was" + (", --resume goes on" if options.method == "softmax" else ""))
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train", description=(__doc__ or "").split(": ", 1)[1], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("gallery", nargs="?", type=Path, default=gallery_dir(), metavar="GALLERY", help="its folder")
    choices = ("auto", "nearest", "mean", "svm", "logistic", "svm-pairs", "softmax")
    parser.add_argument("--method", default="auto", choices=choices, help="see below (auto)")
    parser.add_argument("--report", type=Path, metavar="DIR", help="folder for the report (GALLERY/derived/training)")
    parser.add_argument("--copies", type=int, default=0, metavar="N", help="changed copies of each photograph (0)")
    parser.add_argument("--seed", type=int, default=42, help="of everything that is random (42)")
    group = parser.add_argument_group("softmax")
    group.add_argument("--epochs", type=int, default=25, help="times that every photograph is looked at (25)")
    group.add_argument("--batch", type=int, default=4, help="photographs in one step (4)")
    group.add_argument("--rate", type=float, default=1e-3, help="learning rate, a tenth of it every 7 epochs (0.001)")
    group.add_argument("--patience", type=int, default=8, help="epochs without gain that end the training (8)")
    group.add_argument("--resume", action="store_true", help="go on from the checkpoint of a training that was stopped")
    add_model_options(parser)
    return parser


def _train(gallery: Gallery, options: argparse.Namespace) -> int:
    import numpy as np

    from face_af_gallery.model import GalleryError
    from face_af_gallery.retraining import scale_of
    from face_af_gallery.training import Options, train, training_set, with_copies

    from .training_report import text, write_report

    asked = Options(options.method, options.seed, options.copies, _schedule(options))
    samples = [sample for sample in gallery.samples() if not sample.masked]
    if not gallery.names:
        raise GalleryError(f"{gallery.folder}: nobody is in it; `ros2 run face_af_people enrol` puts people in")
    if gallery.complaint:
        complain(gallery.complaint)
    names, data = training_set(samples, np.stack([gallery.embedding(s) for s in samples]))
    if options.copies:
        from .augmentation import copies

        data = with_copies(data, *copies(gallery, [s for s in samples if not s.negative], options.copies, options.seed))
    folder = options.report or _folder(gallery)
    started = time.monotonic()
    head = None
    if options.method == "softmax":
        head = _by_epochs(data, asked, f"{gallery.content} {options.copies}", folder, options.resume)
    elif options.resume:
        raise GalleryError("--resume is for --method softmax; the other methods take no longer than it would")
    training = train(
        names, data, scale_of(gallery), asked, model_id=gallery.model_id, content=gallery.content, head=head, say=_say
    )
    spent = time.monotonic() - started
    for line in training.problems:
        complain(line)
    print(text(training, data))
    print(f"trained in {spent:.1f} s; report in {write_report(folder, training, data)}")
    keep = None if options.method == "nearest" else training.classifier
    if not gallery.use(keep, asked.to_text()):
        raise GalleryError(f"{gallery.folder} was changed while it was trained; train it again")
    return 0


def _schedule(options: argparse.Namespace) -> dict[str, Any]:
    from face_af_gallery.model import GalleryError

    if not 0 <= options.copies <= 100:
        raise GalleryError("--copies must be 0 to 100")
    if options.method != "softmax":
        return {}
    chosen = {name: getattr(options, name) for name in ("epochs", "batch", "rate", "patience")}
    if min(chosen.values()) <= 0:
        raise GalleryError("--epochs, --batch, --rate and --patience must be above 0")
    return chosen


def _folder(gallery: Gallery) -> Path:
    from face_af_gallery.files import GalleryFolder

    assert gallery.folder is not None
    return GalleryFolder(gallery.folder).derived / "training"


def _by_epochs(data: TrainingSet, options: Options, content: str, folder: Path, resume: bool) -> Head:
    """The softmax baseline, with a checkpoint after each epoch, and its learning curves."""
    from face_af_common import files
    from face_af_gallery.model import GalleryError
    from face_af_gallery.softmax_training import Schedule, SoftmaxTraining

    from .training_report import write_curves

    if data.people < 2:
        raise GalleryError("softmax tells people apart, and there is one person only: enrol another person, too")
    path = folder / CHECKPOINT
    training = SoftmaxTraining(data, options.seed, Schedule(**options.schedule), content)
    if resume:
        try:
            training.resume(files.read_bytes(path, 1_000_000_000))
        except GalleryError as error:
            raise GalleryError(f"{path}: {error}; without --resume it is trained from the start") from error
        print(f"going on after epoch {training.epoch}")

    def after_epoch(now: SoftmaxTraining) -> None:
        files.make_private(folder)
        files.write_bytes(path, now.to_bytes(), private=True)
        figures = now.history[-1]
        _say(f"epoch {now.epoch}: loss {figures['loss']:.3f}, {figures['accuracy']:.1%} right")

    head = training.run(after_epoch)
    write_curves(folder, training.history)
    return head


def _say(line: str) -> None:
    print(line, flush=True)
