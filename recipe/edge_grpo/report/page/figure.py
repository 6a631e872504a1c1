"""One figure of the page: its style, and how it becomes a PNG file and an element of the page."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

FIGURE_SIZE = (5.0, 3.1)

# Text stays text: it is smaller, and found by the search of a browser. A name with a dollar sign is no formula.
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "report", "text.parse_math": False, "font.size": 10,
    "font.family": "sans-serif", "axes.spines.top": False, "axes.spines.right": False,
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """One figure of the page."""

    title: str
    svg: str
    legend: Sequence[tuple[str, str]] = ()
    """(name, colour) of what the colours stand for, where it is not the runs."""


def new_figure(unit: str, size: tuple[float, float] = FIGURE_SIZE) -> tuple[Figure, Axes]:
    """Return an empty figure over the steps, in the style of the page."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        axes.set(xlabel="step", ylabel=unit)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.grid(alpha=0.25)
        axes.set_axisbelow(True)
    return figure, axes


def finish(figure: Figure, title: str, key: str, png_folder: Path, legend: Sequence[tuple[str, str]] = ()) -> Drawn:
    """Write the figure as `KEY.png` and return it as SVG."""
    written = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(png_folder / f"{key}.png", dpi=90, format="png")
        figure.set_layout_engine("none")  # what it laid out for the PNG holds for the SVG
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return Drawn(title, inline_svg(written.getvalue(), key), legend)


def inline_svg(document: str, key: str) -> str:
    """Return the element of an SVG document, scalable, with names that no other figure of the page has.

    >>> inline_svg('<?xml version="1.0"?><svg width="9pt" height="8pt" viewBox="0 0 9 8"><g id="a"/></svg>', "k")
    '<svg viewBox="0 0 9 8"><g id="k.a"/></svg>'
    """
    element = document[document.index("<svg") :].strip()
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    opening, closing, rest = element.partition(">")
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    rest = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{key}.", rest)
    return opening + closing + re.sub(r">\s+<", "><", rest)
