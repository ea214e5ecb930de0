"""The page on which crops are kept or dropped: one HTML file beside them, without a server or a foreign host."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Sequence
from importlib.resources import files
from urllib.parse import quote

from .curation import Row


def page(title: str, rows: Sequence[Row], kept: Collection[int]) -> str:
    """The page for ``rows``; those not in ``kept`` start as dropped."""
    data = [
        {
            "path": row.path,
            "url": quote(row.path),
            "keep": i in kept,
            "score": row.number("score"),
            "distance": row.number("face_dist") if row.cells["face_dist"] else 2.0,
            "time": row.number("time_secs"),
            "video": row.cells["video"],
            "person": row.cells["person"],
            "pose": row.cells["pose"],
            "ratio": row.cells["ratio"],
        }
        for i, row in enumerate(rows)
    ]
    # "<" must not end the script
    script = json.dumps({"title": title, "crops": data}, ensure_ascii=False).replace("<", "\\u003c")
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return template.replace("{{title}}", html.escape(title)).replace("{{data}}", script)
