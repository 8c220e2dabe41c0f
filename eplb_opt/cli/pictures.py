"""Figures that commands write."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from eplb_opt.cli.outputs import FIGURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def picture(path: Path, *draws: Callable[[Axes], object], height: float = 4.5) -> bytes:
    """What a file of this name holds once each of `draws` has drawn its part of the figure, side by side.

    `height` in inches. A stream has no name, and gets a PNG.
    """
    from matplotlib.figure import Figure

    ending = path.suffix.lower()
    sheet = Figure(figsize=(7 if len(draws) == 1 else 5.5 * len(draws), height), layout="constrained")
    for draw, ax in zip(draws, sheet.subplots(1, len(draws), squeeze=False).flat, strict=True):
        draw(ax)
    content = BytesIO()
    sheet.savefig(content, format=ending.removeprefix(".") if ending in FIGURE.suffixes else "png", dpi=150)
    return content.getvalue()
