"""The plot of a tuning: a line for one parameter, a map for two, one panel a parameter for more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from face_af_common.files import replacing

from .grid import Axis


def plot(path: Path, axes: Sequence[Axis], points: Sequence[dict[str, Any]], values: Sequence[float], by: str) -> None:
    """Draws the objective over the parameters. ``points``: ``{node.parameter: value}`` of each trial."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    varied = [axis for axis in axes if len(axis.values) > 1] or list(axes)
    best = max(range(len(values)), key=lambda index: values[index])
    if len(varied) == 2:
        figure, panel = pyplot.subplots(figsize=(7.5, 5.5), layout="constrained")
        _map(figure, panel, varied, points, values, points[best], by)
    else:
        figure, grid = pyplot.subplots(
            1, len(varied), figsize=(5.5 * len(varied), 4.2), squeeze=False, layout="constrained"
        )
        for panel, axis in zip(grid[0], varied, strict=True):
            _line(panel, axis, points, values, points[best], by)
    with replacing(path) as part:
        figure.savefig(part, dpi=110, format="png")
    pyplot.close(figure)


def _map(
    figure: Any, panel: Any, axes: Sequence[Axis], points: Any, values: Sequence[float], best: Any, by: str
) -> None:
    across, up = axes
    table = [[float("nan")] * len(across.values) for _ in up.values]
    for point, value in zip(points, values, strict=True):
        table[up.values.index(point[up.name])][across.values.index(point[across.name])] = value
    picture = panel.imshow(table, origin="lower", aspect="auto", cmap="viridis")
    panel.set_xticks(range(len(across.values)), [f"{value}" for value in across.values], rotation=45, ha="right")
    panel.set_yticks(range(len(up.values)), [f"{value}" for value in up.values])
    panel.set_xlabel(across.name)
    panel.set_ylabel(up.name)
    at = across.values.index(best[across.name]), up.values.index(best[up.name])
    panel.plot(*at, marker="o", markersize=14, markerfacecolor="none", markeredgecolor="white", markeredgewidth=2)
    panel.set_title(f"{by}; the best is circled")
    figure.colorbar(picture, ax=panel)


def _line(panel: Any, axis: Axis, points: Any, values: Sequence[float], best: Any, by: str) -> None:
    positions = {value: number for number, value in enumerate(axis.values)}
    places = [positions[point[axis.name]] for point in points]
    highest = {place: max(v for p, v in zip(places, values, strict=True) if p == place) for place in set(places)}
    panel.plot(places, values, "o", color="#8aa2b8", label="trials")
    panel.plot(
        sorted(highest), [highest[place] for place in sorted(highest)], "-", color="#2f6f4f", label="best of each"
    )
    panel.axvline(positions[best[axis.name]], color="#c0392b", linewidth=1, label="best")
    panel.set_xticks(range(len(axis.values)), [f"{value}" for value in axis.values], rotation=45, ha="right")
    panel.set_xlabel(axis.name)
    panel.set_ylabel(by)
    panel.legend()
