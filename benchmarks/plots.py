"""Plots of how cost grows, as SVG that can be read on light pages and on dark ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

INK = "#787878"
"""Between black and white: it stands out against both."""
COLOURS = ("#e8710a", "#1f9ed1", "#35a35b", "#b46bd1")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the page's own fonts
    "svg.hashsalt": "flownb",  # the same figures give the same file
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(growths: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write ``{name}.svg`` for each growth that has been measured."""
    folder.mkdir(parents=True, exist_ok=True)
    for growth in growths:
        if growth["curves"]:
            with mpl.rc_context(STYLE):
                figure = _figure(growth)
                figure.savefig(folder / f"{growth['name']}.svg", transparent=True, metadata={"Date": None})


def _figure(growth: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for colour, curve in zip(COLOURS, growth["curves"], strict=False):
        sizes, values = zip(*curve["points"], strict=True)
        axes.plot(sizes, values, marker="o", markersize=4, color=colour, label=curve["name"])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(growth["sizes"])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_short))
        axis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.set_xlabel(growth["over"])
    axes.set_ylabel(growth["unit"])
    axes.grid(color=INK, alpha=0.2)
    axes.legend(frameon=False)
    return figure


def _short(value: float, _: int) -> str:
    """``10 k`` for 10,000."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:g} {letter}"
    return f"{value:g}"
