"""Figures that commands write."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from eplb_opt.errors import InvalidArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = ("png", "svg", "pdf")


def require_picture(path: Path) -> None:
    """Refuse a file whose ending says nothing that a figure could be."""
    if path.suffix.removeprefix(".") not in _KINDS:
        raise InvalidArgumentError(f"{path}: the figure's file ending is not one of {', '.join(_KINDS)}")


def picture(path: Path, *draws: Callable[[Axes], object], height: float = 4.5) -> bytes:
    """What a file of this name holds once each of `draws` has drawn its part of the figure, side by side.

    `height` in inches.
    """
    from matplotlib.figure import Figure

    sheet = Figure(figsize=(7 if len(draws) == 1 else 5.5 * len(draws), height), layout="constrained")
    for draw, ax in zip(draws, sheet.subplots(1, len(draws), squeeze=False).flat, strict=True):
        draw(ax)
    content = BytesIO()
    sheet.savefig(content, format=path.suffix.removeprefix("."), dpi=150)
    return content.getvalue()
