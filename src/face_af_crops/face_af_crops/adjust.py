"""``adjust``: a page to try settings of ``crops`` on frames of a video, and to save them.

It shows a frame, every face with its likeness, what would be cut and why not; each slider answers at once. The saved
file is for ``crops --settings``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from face_af_common.files import told, write_text
from face_af_common.params import ParamError, describe, values

from .errors import CropError
from .settings import PRESETS, CropSettings, make_settings, read_settings
from .trying import Trial
from .video import VideoError, open_video

if TYPE_CHECKING:
    from aiohttp import web

_MAX_BODY = 100_000
_OF_THE_WHOLE_VIDEO = ("prescan_", "bank_")
"""Settings that act on the whole video, and not on one frame."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    from face_af_inference.runtimes import ModelError

    try:
        page = _page(options)
        asyncio.run(_serve(page, options.port))
    except (CropError, ParamError, ModelError, VideoError) as error:
        print(f"adjust: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    from face_af_common.paths import gallery_dir
    from face_af_people.models import add_model_options

    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="adjust", description=__doc__, formatter_class=words)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("--ref", action="append", default=[], metavar="[NAME=]PHOTO|FOLDER|GALLERY:NAME")
    parser.add_argument("--not", action="append", default=[], dest="nots", metavar="PHOTO", help="a double of theirs")
    parser.add_argument("--preset", choices=list(PRESETS), default="balanced", help="where to begin")
    parser.add_argument("--settings", type=Path, metavar="YAML", help="settings to begin with, over the preset")
    parser.add_argument("-o", "--output", type=Path, default=Path("crops.yaml"), metavar="YAML", help="(crops.yaml)")
    parser.add_argument("--port", type=int, default=0, help="TCP port on this machine; 0: a free one")
    parser.add_argument("--gallery", type=Path, default=gallery_dir(), metavar="DIR", help="where GALLERY: looks")
    add_model_options(parser)
    return parser


def _page(options: argparse.Namespace) -> AdjustPage:
    from .crops import models_of
    from .engine import engine
    from .references import load_references

    changes = read_settings(options.settings) if options.settings else {}
    settings = make_settings(options.preset, changes)
    video = open_video(options.video)
    networks = engine(models_of(options))
    references = load_references(
        options.ref, options.nots, networks, options.gallery, lambda line: print(line, file=sys.stderr)
    )
    return AdjustPage(Trial(video, networks, references.bank), settings, options.output)


class AdjustPage:
    """What the page asks for. One frame is looked at at a time."""

    def __init__(self, trial: Trial, settings: CropSettings, output: Path) -> None:
        self._trial, self._settings, self._output = trial, settings, output
        self._busy = asyncio.Lock()

    def application(self) -> web.Application:
        from aiohttp import web

        application = web.Application(client_max_size=_MAX_BODY, middlewares=[web.middleware(_local_only)])
        application.add_routes(
            [
                web.get("/", self._html),
                web.get("/settings", self._describe),
                web.post("/look", self._look),
                web.post("/save", self._save),
            ]
        )
        return application

    async def _html(self, _: web.Request) -> web.Response:
        from aiohttp import web

        page = files(__package__).joinpath("adjust.html").read_text(encoding="utf-8")
        return web.Response(text=page, content_type="text/html")

    async def _describe(self, _: web.Request) -> web.Response:
        from aiohttp import web

        now = values(self._settings)
        entries = [
            {
                "name": info.name,
                "value": now[info.name],
                "kind": info.type.__name__,
                "description": info.description,
                "unit": info.unit,
                "low": info.low,
                "high": info.high,
                "choices": info.choices,
                "whole_video": info.name.startswith(_OF_THE_WHOLE_VIDEO),
            }
            for info in describe(CropSettings)
        ]
        presets = {name: values(make_settings(name)) for name in PRESETS}
        video = self._trial.video
        return web.json_response(
            {
                "settings": entries,
                "presets": presets,
                "video": video.path.name,
                "duration": video.duration,
                "rate": video.rate,
                "output": str(self._output),
            }
        )

    async def _look(self, request: web.Request) -> web.Response:
        from aiohttp import web

        try:
            asked = await _json(request)
            time = asked.get("time", 0.0)
            if not isinstance(time, (int, float)) or not 0 <= time < 1e7:
                raise ParamError("time: seconds are needed")
            settings = _settings(asked)
            async with self._busy:
                tried = await asyncio.get_running_loop().run_in_executor(None, self._trial.look, time, settings)
        except (ParamError, VideoError) as error:
            return web.json_response({"error": str(error)})
        crops = [
            {"person": c.person, "ratio": c.ratio, "size": c.box[2:], "image": _data_url(c.data, settings.format)}
            for c in tried.crops
        ]
        return web.json_response(
            {"time": tried.time, "frame": _data_url(tried.frame, "jpg"), "crops": crops, "said": tried.said}
        )

    async def _save(self, request: web.Request) -> web.Response:
        from aiohttp import web

        try:
            settings = _settings(await _json(request))
            write_text(self._output, as_yaml(settings))
        except ParamError as error:
            return web.json_response({"error": str(error)})
        except OSError as error:
            return web.json_response({"error": told(error)})
        self._settings = settings
        return web.json_response({"said": f"saved to {self._output}; use it by crops --settings {self._output}"})


def as_yaml(settings: CropSettings) -> str:
    """What differs from the preset ``balanced``, over which ``crops --settings`` puts it."""
    import yaml

    usual = values(make_settings())
    differing = {name: value for name, value in values(settings).items() if value != usual[name]}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in differing.items()}
    text = yaml.safe_dump(plain, sort_keys=False) if plain else "# as the preset balanced\n"
    return f"# Settings of crops, tried by adjust.\n{text}"


async def _json(request: web.Request) -> dict[str, Any]:
    # a page of another site cannot send this type without asking first, and is then refused
    if request.content_type != "application/json":
        raise ParamError("JSON is needed")
    try:
        data = await request.json()
    except (ValueError, RecursionError) as error:
        raise ParamError("this is no JSON") from error
    if not isinstance(data, dict):
        raise ParamError("names and values are needed")
    return data


def _settings(asked: Mapping[str, Any]) -> CropSettings:
    flat = asked.get("settings", {})
    if not isinstance(flat, dict):
        raise ParamError("settings: names and values are needed")
    return make_settings("balanced", flat)


async def _local_only(request: web.Request, handler: Any) -> web.StreamResponse:
    """Only this machine's own names: a page of another site may have its name point here (DNS rebinding)."""
    from aiohttp import web

    if request.host.rpartition(":")[0] not in ("127.0.0.1", "localhost"):
        raise web.HTTPForbidden(text="open the address that adjust has printed\n")
    answer: web.StreamResponse = await handler(request)
    return answer


def _data_url(data: bytes, kind: str) -> str:
    return f"data:image/{'jpeg' if kind == 'jpg' else kind};base64,{base64.b64encode(data).decode()}"


async def _serve(page: AdjustPage, port: int) -> None:
    from aiohttp import web

    runner = web.AppRunner(page.application(), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            raise CropError(f"port {port}: {error}; --port 0 takes a free one") from error
        address = runner.addresses[0]
        print(f"open http://{address[0]}:{address[1]} in a browser; Ctrl-C ends it", flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
