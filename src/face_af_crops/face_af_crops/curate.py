"""``curate``: looks through the crops of a run, chooses the best of them, and applies what was chosen.

``curate OUT`` writes ``OUT/index.html``, a page to open in a browser. ``curate OUT --max 200`` chooses 200 beforehand.
``curate OUT --apply selection.json`` moves what was dropped to ``OUT/dropped``; nothing is deleted.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from face_af_common.files import regular, told

from .curation import Row, choose, read_index
from .errors import CropError
from .output import COLUMNS, MARKER, OutputFolder
from .page import page

MAX_SELECTION_BYTES = 50_000_000


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        if not (options.out / MARKER).is_dir():
            raise CropError(f"{options.out}: not a folder that crops has made")
        rows = read_index(options.out)
        if options.apply:
            print(_apply(options.out, rows, options.apply))
        else:
            print(_write_page(options.out, rows, options.max, options.variety))
    except CropError as error:
        print(f"curate: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="curate", description=__doc__, formatter_class=words)
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of a run of crops")
    parser.add_argument("--max", type=int, metavar="N", help="choose at most N, balanced; the page starts with these")
    parser.add_argument("--variety", type=float, default=0.5, metavar="0..1", help="variety against quality (0.5)")
    parser.add_argument("--apply", type=Path, metavar="JSON", help="the selection that the page has saved")
    return parser


def _write_page(out: Path, rows: Sequence[Row], count: int | None, variety: float) -> str:
    if count is not None and count < 1:
        raise CropError("--max: at least 1")
    if not 0 <= variety <= 1:
        raise CropError("--variety: 0 to 1")
    kept = set(range(len(rows))) if count is None else set(choose(rows, count, 1 - variety))
    _write(out / "index.html", page(out.resolve().name, rows, kept).encode())
    return f"{out / 'index.html'}: {len(kept)} of {len(rows)} crops kept; open it in a browser"


def _apply(out: Path, rows: Sequence[Row], path: Path) -> str:
    dropped = _selection(path)
    known = {row.path for row in rows}
    unknown = sorted(dropped - known)
    if unknown:
        raise CropError(f"{path}: {unknown[0]} is no crop of {out}; is it another run's selection?")
    kept = [row for row in rows if row.path not in dropped]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.cells for row in kept)
    try:
        for name in sorted(dropped):
            source = out / name
            if source.is_file() and not source.is_symlink():
                target = out / "dropped" / Path(name).relative_to("crops")
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
    except OSError as error:
        raise CropError(f"{error.filename}: cannot be moved ({error.strerror})") from error
    _write(out / "index.csv", text.getvalue().encode())
    return f"{out}: {len(kept)} crops kept, {len(dropped)} moved to {out / 'dropped'}"


def _selection(path: Path) -> set[str]:
    try:
        if regular(path).stat().st_size > MAX_SELECTION_BYTES:
            raise CropError(f"{path}: too large for a selection")
        data = json.loads(path.read_text(encoding="utf-8"))
        dropped = data["dropped"]
        if not isinstance(dropped, list) or not all(isinstance(name, str) for name in dropped):
            raise TypeError
    except OSError as error:
        raise CropError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CropError(f"{path}: not a selection; the page's button saves one") from error
    return set(dropped)


def _write(path: Path, data: bytes) -> None:
    try:
        OutputFolder.write(path, data)
    except OSError as error:
        raise CropError(told(error)) from error


if __name__ == "__main__":
    sys.exit(main())
