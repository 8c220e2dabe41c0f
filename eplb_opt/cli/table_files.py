"""Files of a command whose result is a table: the rows behind it, and a figure of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eplb_opt.cli.outputs import CSV, FIGURE, require_outputs
from eplb_opt.cli.pictures import picture
from eplb_opt.files import write_whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class TableFiles:
    """Where results go; ``None``: nowhere."""

    csv: Annotated[Path | None, typer.Option(help="Where the rows behind the table go, as CSV.")] = None
    figure: Annotated[Path | None, typer.Option(help="Where a figure of them goes: .png, .svg or .pdf.")] = None

    def require(self, inputs: Sequence[Path | None]) -> None:
        """Refuse what cannot be written, before any work."""
        require_outputs({"--csv": (self.csv, CSV), "--figure": (self.figure, FIGURE)}, inputs)

    def write(self, frame: pd.DataFrame, plot: Callable[[pd.DataFrame, Axes], object], height: float) -> None:
        """Write what the options name; `height` of the figure in inches."""
        if self.csv is not None:
            write_whole(self.csv, frame.to_csv(index=False))
        if self.figure is not None:
            write_whole(self.figure, picture(self.figure, lambda ax: plot(frame, ax), height=height))
