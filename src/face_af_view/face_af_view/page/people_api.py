"""The people pages: who is enrolled, with their samples, and photographs from a phone."""

from __future__ import annotations

import asyncio
import base64
import io
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from aiohttp import web
from PIL import Image
from std_msgs.msg import Header

from face_af_common.encodings import BGR, ImageError
from face_af_common.image_files import decode_image
from face_af_common.images import from_bgr

from .acts import ActError, Graph

MOST_PIXELS = 120_000_000
"""Phones take up to 108 million."""
PHOTO = "/api/photo"
"""Where they are sent."""
IDLE_S = 10.0
"""A body of which nothing comes for so long is given up."""
_SIDE = 1920
"""Photographs are made this small before they are handed on; faces in them stay larger than those on stage."""


class UploadError(ValueError):
    """A photograph that is not taken; one line."""


class PeopleApi:
    """``upload_mb``: the largest photograph that is taken, asked anew for each."""

    def __init__(self, graph: Graph, upload_mb: Callable[[], int]) -> None:
        self._graph, self._upload_mb = graph, upload_mb

    async def list(self, request: web.Request) -> web.Response:
        response = await self._graph.ask("list_people", identity=request.query.get("name", ""))
        if not response.success:
            raise ActError(response.message)
        return web.json_response([_person(person) for person in response.people])

    async def image(self, request: web.Request) -> web.Response:
        query = request.query
        track = query.get("track", "0")
        if not (track.isdecimal() and int(track) < 2**32):
            raise web.HTTPBadRequest(reason="track: a number is needed")
        response = await self._graph.ask(
            "get_face_image",
            identity=query.get("name", ""),
            sample_id=query.get("sample", ""),
            track_id=int(track),
        )
        if not response.success:
            return web.json_response({"message": response.message}, status=404)
        return web.Response(body=bytes(response.image.data), content_type="image/jpeg")

    async def photo(self, request: web.Request) -> web.Response:
        """Body: an image file. ``name``: whose face; ``preview``: only say what would be added."""
        try:
            data = await self._read(request)
            image = await asyncio.get_running_loop().run_in_executor(None, shrunk, data)
        except UploadError as error:
            return web.json_response({"message": str(error)}, status=422)
        response = await self._graph.ask(
            "add_photograph",
            identity=request.query.get("name", "")[:200],
            image=from_bgr(image, Header()),
            preview=bool(request.query.get("preview", "")),
        )
        said = {
            "ok": response.success,
            "message": response.message,
            "sample": response.sample_id,
            "quality": round(response.quality, 3),
            "nearest": response.nearest,
            "alike": round(response.nearest_similarity, 3),
            "chip": base64.b64encode(bytes(response.chip.data)).decode(),
        }
        return web.json_response(said, status=200 if response.success else 422)

    async def _read(self, request: web.Request) -> bytes:
        limit = self._upload_mb() * 1_000_000
        data = bytearray()
        try:
            while (request.content_length or 0) <= limit and len(data) <= limit:
                part = await asyncio.wait_for(request.content.read(65536), IDLE_S)
                if not part:
                    return bytes(data)
                data += part
        except asyncio.TimeoutError as error:
            raise UploadError(f"nothing more came for {IDLE_S:g} s") from error
        raise UploadError(f"larger than {self._upload_mb()} MB")


def shrunk(data: bytes) -> BGR:
    """An image file's content, upright, at most :data:`_SIDE` pixels wide and high. Raises :class:`UploadError`."""
    _check_size(data)
    try:
        image = decode_image(np.frombuffer(data, np.uint8))
    except ImageError as error:
        raise UploadError(str(error)) from error
    except (MemoryError, cv2.error) as error:
        raise UploadError("too large or damaged") from error
    scale = _SIDE / max(image.shape[:2])
    if scale >= 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _check_size(data: bytes) -> None:
    """Looks at the head only: a small file may say that it is an image of gigabytes. Raises :class:`UploadError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as head:
                width, height = head.size
    except Image.DecompressionBombError:
        raise UploadError("an image of too many pixels") from None
    except Exception:  # whatever is wrong with it, the decoder says it better
        return
    if width * height > MOST_PIXELS:
        raise UploadError(f"{width} x {height} pixels are too many")


def _person(person: Any) -> dict[str, Any]:
    return {
        "name": person.identity,
        "samples": person.samples,
        "negatives": person.negatives,
        "nearest": person.nearest,
        "alike": round(person.nearest_similarity, 3),
        "threshold": round(person.threshold, 3),
        "faces": [
            {
                "id": face.id,
                "quality": round(face.quality, 3),
                "negative": face.negative,
                "added": face.added,
                "nearest": face.nearest,
                "alike": round(face.nearest_similarity, 3),
            }
            for face in person.faces
        ],
    }
