"""Which tool reads which kind of file, and how it is called."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from face_af_common.paths import share_dir

from . import material
from .tools import Case

PRELOADED = (
    "cv2", "numpy", "onnxruntime", "scipy", "yaml", "rosbags.highlevel",
    "face_af_people.identify", "face_af_people.enrol", "face_af_people.people", "face_af_people.extract",
    "face_af_people.map", "face_af_people.train", "face_af_people.evaluate", "sklearn.manifold", "matplotlib.pyplot",
    "face_af_perception.analyser", "face_af_recording.replay.cli", "face_af_recording.repair_bag",
    "face_af_overlay.classify", "face_af_crops.crops", "face_af_speaker.identify", "face_af_outputs.try_action",
    "nikon_mcn10_driver.profiles", "nikon_mcn10_driver.capture.learn_profile", "face_af.parameters",
)  # fmt: skip
"""Imported once by the process that all the others are copies of."""
_RECIPE = "target: [ann]\nhold_s: 1.0\n"
_ACTIONS = """actions:
  red light:
    when: {event: gets_focus, person: anna}
    do: {gpio: {line: 17, for_s: 2.0}}
  strangers:
    when: {event: unknown}
    do: {mqtt: {topic: hall/alarm, payload: "a person is here"}}
    min_gap_s: 30
"""


def cases(folder: Path) -> list[Case]:
    """Good files in ``folder``, and a case for each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    photos = material.photographs(folder / "photos")
    gallery = _gallery(folder / "gallery", photos)
    return [
        *_of_people(folder, photos, gallery),
        *_of_collections(folder, photos),
        *_of_recordings(folder, photos),
        *_of_the_rest(folder, photos),
    ]


def _gallery(folder: Path, photos: Sequence[Path], name: str = "ann") -> Path:
    from face_af_people.enrol import main as enrol

    if enrol(["--gallery", str(folder), "--name", name, "--largest", *map(str, photos[:3])]) != 0:
        raise SystemExit("the stage's photographs cannot be enrolled")
    return folder


def _of_people(folder: Path, photos: Sequence[Path], gallery: Path) -> list[Case]:
    known = ["--gallery", str(gallery)]
    export = folder / "ann.zip"
    from face_af_people.people import main as people

    people(["export", "ann", str(export), *known])
    chip = next((gallery / "chips").iterdir())
    embeddings = next(gallery.glob("embeddings-*.npz"))
    clip = material.video(photos[0], folder / "clip.mp4")
    return [
        Case("photographs", "face_af_people.identify", photos[0],
             lambda files: [*map(str, files), *known], at_once=10),
        Case("photographs", "face_af_people.enrol", photos[0],
             lambda files: [*map(str, files), "--name", "bert", "--gallery", str(files[0].parent / "g")], at_once=10),
        Case("videos", "face_af_people.identify", clip, lambda files: [*map(str, files), *known], at_once=4),
        Case("gallery.json", "face_af_people.people", gallery / "gallery.json",
             lambda files: ["show", "ann", "--gallery", str(files[0].parent)], _beside(gallery, "gallery.json")),
        Case("chip", "face_af_people.people", chip,
             lambda files: ["export", "ann", str(files[0].parents[1] / "x.zip"), "--gallery", str(files[0].parents[1])],
             _beside(gallery, f"chips/{chip.name}")),
        Case("embeddings", "face_af_people.people", embeddings,
             lambda files: ["show", "ann", "--gallery", str(files[0].parent)], _beside(gallery, embeddings.name)),
        Case("exported person", "face_af_people.people", export,
             lambda files: ["import", str(files[0]), "--gallery", str(files[0].parent / "g")]),
    ]  # fmt: skip


def _of_collections(folder: Path, photos: Sequence[Path]) -> list[Case]:
    """Tools that read many faces: extract, map, train, evaluate, crops, curate."""
    gallery = _gallery(_gallery(folder / "two", photos), photos[3:], "bert")
    clip = material.video(photos[0], folder / "large.mp4", 20, size=None)
    known = ["--ref", str(photos[0].parent)]
    chip = next((gallery / "chips").iterdir())
    embeddings = next(gallery.glob("embeddings-*.npz"))
    pairs = folder / "pairs.csv"
    pairs.write_text(
        f"a,b,same\n{photos[0]},{photos[1]},Yes\n{photos[0]},{photos[2]},Yes\n{photos[1]},{photos[2]},No\n"
    )
    settings = folder / "settings.yaml"
    settings.write_text("format: png\nlong_side: 200\n")
    run = _run_of_crops(folder / "crops_of_ann")
    selection = folder / "selection.json"
    selection.write_text('{"dropped": []}')
    people, crops = "face_af_people", "face_af_crops.crops"

    def beside(files: list[Path], name: str) -> str:
        return str(files[0].parent / name)

    def map_of(files: list[Path], depth: int = 0) -> list[str]:
        return [str(files[0].parents[depth]), "--out", str(files[0].parents[depth + 1] / "map")]

    def train_on(files: list[Path], depth: int = 0) -> list[str]:
        place = files[0].parents
        return [str(place[depth]), "--method", "nearest", "--report", str(place[depth + 1] / "report")]

    return [
        Case("photographs", f"{people}.extract", photos[0],
             lambda files: [*map(str, files), "--out", beside(files, "x")], at_once=10),
        Case("videos", f"{people}.extract", clip,
             lambda files: [*map(str, files), "--out", beside(files, "x")], at_once=4),
        *(Case(path.name.partition("-")[0], f"{people}.{tool}", path, partial(call, depth=depth),
               _beside(gallery, str(path.relative_to(gallery))))
          for tool, call in (("map", map_of), ("train", train_on))
          for path, depth in ((gallery / "gallery.json", 0), (chip, 1), (embeddings, 0))),
        Case("pairs", f"{people}.evaluate", pairs, lambda files: ["--pairs", str(files[0])]),
        Case("video", crops, clip, lambda files: [str(files[0]), *known, "--out", beside(files, "c")]),
        Case("reference", crops, photos[0],
             lambda files: [str(clip), "--ref", str(files[0]), "--dry-run", "--out", beside(files, "c")]),
        Case("settings", crops, settings,
             lambda files: [str(clip), *known, "--settings", str(files[0]), "--dry-run",
                            "--out", beside(files, "c")]),
        Case("index", "face_af_crops.curate", run / "index.csv", lambda files: [str(files[0].parent), "--max", "2"],
             _beside(run, "index.csv")),
        Case("selection", "face_af_crops.curate", selection, lambda files: [str(run), "--apply", str(files[0])]),
    ]  # fmt: skip


def _run_of_crops(folder: Path) -> Path:
    from face_af_crops.output import COLUMNS, MARKER, RowFile

    (folder / MARKER).mkdir(parents=True)
    rows = RowFile(folder / "index.csv")
    for n in range(8):
        texts = {"ratio": "2:3", "pose": ("front", "left")[n % 2], "body": "seen", "person": "ann", "video": "v.mp4"}
        place = {"hash": f"{n << 8:016x}", "crop_path": f"crops/v_{n:07d}.jpg", "scene": n // 3}
        rows.add({**dict.fromkeys(COLUMNS, n / 8), **texts, **place})
    rows.close()
    return folder


def _of_recordings(folder: Path, photos: Sequence[Path]) -> list[Case]:
    bag = material.bag(folder / "bag", photos[0])
    data = next(bag.glob("*.mcap"))
    old = next(material.sqlite_bag(folder / "old", photos[0]).glob("*.db3"))
    clip = material.video(photos[0], folder / "clip.avi")
    truth = folder / "truth.csv"
    truth.write_text("frame,name,x,y,width,height\n0,ann,100,60,90,110\n3,ann,100,60,90,110\n")
    recipe = folder / "recipe.yaml"
    recipe.write_text(_RECIPE)
    steering = ["--recompute", "steering"]
    replay = "face_af_recording.replay.cli"
    parameters = share_dir() / "config" / "face_af.yaml"
    return [
        Case("bag (mcap)", replay, data, lambda files: [str(files[0]), *steering]),
        Case("bag (db3)", replay, old, lambda files: [str(files[0]), *steering]),
        Case("metadata.yaml", replay, bag / "metadata.yaml",
             lambda files: [str(files[0].parent), *steering], _beside(bag, "metadata.yaml")),
        Case("bag (mcap)", "face_af_recording.repair_bag", data, lambda files: [str(files[0])]),
        Case("video", replay, clip, lambda files: [str(files[0]), "--recompute", "overlay,steering"]),
        Case("labels", replay, truth, lambda files: [str(bag), *steering, "--truth", str(files[0])]),
        Case("parameters", replay, parameters, lambda files: [str(bag), *steering, "--params", str(files[0])]),
        Case("recipe", replay, recipe, lambda files: [str(bag), *steering, "--set", f"steering.recipe={files[0]}"]),
    ]  # fmt: skip


def _of_the_rest(folder: Path, photos: Sequence[Path]) -> list[Case]:
    config = share_dir() / "config"
    actions = folder / "actions.yaml"
    actions.write_text(_ACTIONS)
    capture = folder / "left.pcapng"
    capture.write_bytes(_capture())
    quiet = folder / "quiet.pcapng"
    quiet.write_bytes(_capture("quiet"))
    transfers = folder / "transfers.txt"
    transfers.write_text("10 00 00 00 01 00 02 10 01 00 00 00 01 00 00 00\n0c000000030001200100 0000\n")
    return [
        Case("parameters", "face_af.parameters", config / "face_af.yaml", lambda files: ["--check", str(files[0])]),
        Case("profiles", "nikon_mcn10_driver.profiles", config / "remote" / "virtual_z8.yaml",
             lambda files: ["check", *map(str, files)], at_once=10),
        Case("actions", "face_af_outputs.try_action", actions, lambda files: ["--actions", str(files[0])]),
        Case("preset", "face_af_overlay.classify", config / "overlay" / "nikon_z8.yaml",
             lambda files: [str(photos[0]), "--preset", str(files[0])]),
        Case("images", "face_af_overlay.classify", photos[0], lambda files: [*map(str, files)], at_once=10),
        Case("captures", "nikon_mcn10_driver.capture.learn_profile", capture,
             lambda files: ["--quiet", str(quiet), "--left", str(files[0]), "-o", str(files[0].parent / "z8.yaml")]),
        Case("transfers", "nikon_mcn10_driver.capture.decode_transfers", transfers, lambda files: [str(files[0])]),
        Case("sound", "face_af_speaker.enrol", material.sound(folder / "sound.wav"),
             lambda files: [*map(str, files), "--name", "ann", "--gallery", str(files[0].parent / "g")], at_once=4,
             good_status=1),  # it is a tone, no speech
    ]  # fmt: skip


def _capture(name: str = "left") -> bytes:
    from learn_sim import sniffers
    from learn_sim.evening import record
    from learn_sim.grips import invent

    log = record(invent(1), 1, ["left"])[name]
    return bytes(sniffers.pcapng(sniffers.WireTap(random.Random(1)).packets(log), 295))


def _beside(good: Path, name: str) -> Callable[[Path], Path]:
    """The damaged file takes the place of the good one in a copy of its folder."""

    def place(folder: Path) -> Path:
        copy = material.copied(good, folder / "copy")
        (copy / ".lock").unlink(missing_ok=True)
        return copy / name

    return place


def preload() -> list[str]:
    """What the server of forks imports, and where it finds it."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    return [*PRELOADED, "hostile_parts.tools"]
