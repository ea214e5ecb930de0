"""What both fits on photographs of faces are told: which photographs, how many looks, and where the result goes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from photo_faces import photographs


def fit_parser(name: str, description: str | None, copies: int, writes: Path) -> argparse.ArgumentParser:
    """``copies``: the default; ``writes``: the file that ``--write`` writes."""
    parser = argparse.ArgumentParser(prog=f"./run bench {name}", description=description)
    parser.add_argument("folder", type=Path, nargs="+", metavar="FOLDER", help="photographs of faces without masks")
    parser.add_argument("--copies", type=int, default=copies, help="masked faces of each (default: %(default)s)")
    parser.add_argument("--most", type=int, default=10_000, help="photographs of each folder (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--report", type=Path, help="write the shares told to this JSON file")
    parser.add_argument("--write", action="store_true", help=f"write {writes.name}")
    return parser


def chosen_photographs(folders: Sequence[Path], most: int, seed: int) -> list[Path]:
    """At most so many of each folder, in any order. Raises ``NotADirectoryError``."""
    rng = np.random.default_rng(seed)
    chosen = []
    for folder in folders:
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is no folder")
        files = photographs(folder)
        chosen += [files[i] for i in rng.permutation(len(files))[:most]]
    return chosen
