"""plot_layers: plans and the proven bound, layer by layer."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from eplb_opt.report.colours import colours_of, ink, legend_label
from eplb_opt.report.shares import Floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# In per cent: below it, or a larger power of ten, the scale is linear, down to zero.
_LINEAR = 0.01
_TICKS = (0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
# Characters of a label.
_SHORT = 16
_MARKERS = ("s", "D", "o", "^", "v", "P", "X")


def plot_layers(layers: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """By how much the hottest GPU is above the mean in each layer, for each plan, and the least that is possible.

    `layers` as `Report.layers` has it: ``plan``, ``label``, ``layer_id``, ``excess`` and ``least_excess``; nothing is
    drawn where these are ``NaN``. Draws on `ax`, or where pyplot does. Per cent on a logarithmic scale that becomes
    linear, so that it has a zero.
    """
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    groups = {str(name): rows for name, rows in layers.groupby("plan", sort=False)}
    colours = colours_of(groups)
    # Numbers of rows keep layers side by side whose ids are not.
    for marker, (name, rows) in zip(_MARKERS * len(groups), groups.items(), strict=False):
        label = legend_label(str(rows["label"].iloc[0]))
        ax.plot(100 * rows["excess"].to_numpy(), marker, color=colours[name], markersize=4, label=label)
    bound = next(iter(groups.values()))
    places = np.arange(len(bound))
    least = 100 * bound["least_excess"].to_numpy()
    ax.hlines(least, places - 0.45, places + 0.45, color=ink(), linewidth=1.2, label="proven bound")
    _set_scale(ax, 100 * layers[["excess", "least_excess"]].dropna().to_numpy())
    _name_layers(ax, bound["layer_id"].tolist())
    ax.set_ylabel("hottest GPU above the mean (%)")
    # Two columns of long names would be wider than a narrow figure.
    columns = 2 if max(len(str(label)) for label in layers["label"]) <= _SHORT else 1
    ax.legend(frameon=False, ncols=columns, loc="lower center", bbox_to_anchor=(0.5, 1.0), handletextpad=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _set_scale(ax: Axes, shown: Floats) -> None:
    """Logarithmic, and with a linear part down to zero where something is there."""
    from matplotlib.ticker import NullLocator

    # A tenth of the linear part is told from zero.
    visible = shown[shown > _LINEAR / 10]
    linear = max(_LINEAR, 10.0 ** floor(log10(visible.min()))) if visible.size else _LINEAR
    low, high = (float(shown.min()), max(float(shown.max()), linear)) if shown.size else (0.0, linear)
    if low > linear:
        ax.set_yscale("log")
        # From a line to a line, so that there are two of them.
        bottom = max(tick for tick in _TICKS if tick <= low)
        top = min((tick for tick in _TICKS if tick >= high), default=high)
        ax.set_ylim(0.9 * bottom, 1.1 * top)
    else:
        ax.set_yscale("symlog", linthresh=linear, linscale=0.5)
        ax.set_ylim(-linear / 5, 2 * high)
    bottom, top = ax.get_ylim()
    ticks = [tick for tick in _TICKS if bottom <= tick <= top and not 0 < tick < linear]
    ax.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(axis="y", alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)


def _name_layers(ax: Axes, ids: list[int]) -> None:
    step = max(1, -(-len(ids) // 10))
    places = list(range(0, len(ids), step))
    ax.set_xticks(places, [str(ids[place]) for place in places])
    ax.set_xlim(-0.8, len(ids) - 0.2)
    ax.set_xlabel("layer")
