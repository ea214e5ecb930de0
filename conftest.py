"""What holds for every test: nothing is judged by its speed, and hardware is touched only when asked for."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import face_af_common  # noqa: F401  makes the project's own wheels importable where ROS' Python runs the tests

# the helpers beside the tests of the whole graph, whose assertions say what they compared, too
sys.path.insert(0, str(Path(__file__).parent / "test"))
pytest.register_assert_rewrite("page_site")

# launch, imported by launch_testing's plugin, makes loggers that pass nothing on: pytest would not see what is logged
logging.setLoggerClass(logging.Logger)

# a busy machine is no fault of a test
settings.register_profile("face_af", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("face_af")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # of a background job of a shell; what the tests start would be deaf to Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--hardware", action="store_true", help="also run the tests that need a real camera or capture card"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--hardware"):
        return
    for item in items:
        if item.get_closest_marker("hardware"):
            item.add_marker(pytest.mark.skip(reason="needs a real device; run with --hardware"))


# The plugin of an installed launch_testing imports every test file by its bare name to see whether it has a launch:
# two files of one name end the run, and so does a file that skips itself.
def _collect(file: Path, parent: Any, **place: Any) -> pytest.Module | None:
    """``file`` as pytest itself collects it; ``None`` where launch_testing is to look at it."""
    if file.parent.name == "launch_testing" or not parent.config.pluginmanager.hasplugin("launch_testing"):
        return None
    kind = pytest.Package if file.name == "__init__.py" else pytest.Module
    return kind.from_parent(parent, **place)


@pytest.hookimpl(tryfirst=True)
def _make_module_6(path: Any, parent: Any) -> pytest.Module | None:
    return _collect(Path(str(path)), parent, fspath=path)


@pytest.hookimpl(tryfirst=True)
def _make_module(module_path: Path, parent: Any) -> pytest.Module | None:
    return _collect(module_path, parent, path=module_path)


pytest_pycollect_makemodule = _make_module_6 if pytest.__version__.startswith("6.") else _make_module


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """A node that ends ignores further signals, which processes started by later tests would inherit."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
