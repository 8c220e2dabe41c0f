"""plot_skew: how unequal experts are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.loads import Loads
from eplb_opt.report.colours import BLUE, ink
from eplb_opt.report.shares import expert_loads, with_load

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points and not a line alone, where they are so few.
_FEW = 40


def plot_skew(loads: Any, ax: Axes | None = None) -> Axes:
    """Load over the mean of the layer against the rank of the expert, hottest first: median and range of the layers.

    `loads` as in `eplb_opt.solve`, mean over windows; layers without load are left out. Draws on `ax`, or where pyplot
    does.
    """
    from matplotlib.ticker import MaxNLocator

    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    loads = Loads.of(loads)
    ranked = -np.sort(-with_load(expert_loads(loads)), axis=1)
    ranks = np.arange(1, loads.num_experts + 1)
    marker = "o" if len(ranks) <= _FEW else ""
    if len(ranked) > 1:
        span = (ranked.min(axis=0), ranked.max(axis=0))
        ax.fill_between(ranks, *span, color=BLUE, alpha=0.25, linewidth=0, label="range of the layers")
    if len(ranked):
        (first, *_) = (layer for layer, loaded in zip(loads.layer_ids, loads.loaded.any(axis=0), strict=True) if loaded)
        label = "median of the layers" if len(ranked) > 1 else f"layer {first}"
        ax.plot(ranks, np.median(ranked, axis=0), color=BLUE, linewidth=2, marker=marker, markersize=3, label=label)
    ax.axhline(1.0, color=ink(), linewidth=1, linestyle="--", label="mean: all experts equal")
    ax.set_xlabel("expert, hottest first")
    ax.set_ylabel("load / layer mean")
    ax.set_xlim(0.5, loads.num_experts + 0.5)
    ax.set_ylim(bottom=0.0)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
