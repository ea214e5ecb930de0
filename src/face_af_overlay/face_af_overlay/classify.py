"""``ros2 run face_af_overlay classify IMAGE…``: the AF boxes in single pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from face_af_common.params import ParamError

from . import pictures, presets
from .debug_picture import debug_picture
from .detector import AfBoxDetector


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="classify", description="Finds the camera's AF boxes in pictures.")
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument("--json", action="store_true", help="one JSON object, a list of boxes for each picture")
    parser.add_argument("--annotate", metavar="DIR", help="write pictures with what was found and what was rejected")
    parser.add_argument("--preset", metavar="FILE", help="parameters, for example config/overlay/nikon_z8.yaml")
    args = parser.parse_args(argv)
    try:
        detector = AfBoxDetector(presets.load(args.preset) if args.preset else None)
    except ParamError as error:
        print(error, file=sys.stderr)
        return 2
    results: dict[str, list[dict[str, object]]] = {}
    failed = False
    for name in args.images:
        try:
            picture = pictures.read(name)
            found = detector.inspect(picture)
            if args.annotate:
                target = Path(args.annotate) / (Path(name).stem + "_overlay.png")
                pictures.write(target, debug_picture(picture, found.boxes, found.rejected))
        except (pictures.FileError, OSError) as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        results[name] = [
            {
                "state": box.state.name,
                "box": [round(v, 1) for v in (box.box.x, box.box.y, box.box.width, box.box.height)],
                "confidence": round(box.confidence, 3),
            }
            for box in found.boxes
        ]
        if not args.json:
            print(f"{name}: {len(found.boxes)} boxes")
            for entry in results[name]:
                print("  {state:<13} {box} confidence {confidence}".format(**entry))
    if args.json:
        print(json.dumps(results, indent=2))
    return 1 if failed else 0
