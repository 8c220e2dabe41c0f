"""Figures of comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eplb_opt.compare import SOLVE, summarise_comparison

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which everybody can tell apart.
_LAYER, _MEAN, _SOLVE = "#56B4E9", "#000000", "#D55E00"
# Ratios are drawn by the logarithm of what they are above 1, as some are a millionth above it and others the whole;
# what is below this is at the bound to the eye.
_VISIBLE = 1e-4
_TICKS = (1, 1.001, 1.01, 1.1, 1.5, 2, 3, 5, 10, 30)


def plot_comparison(comparison: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One strip per method: a bar for each layer at objective / lower bound, a diamond at their mean, the bound at 1.

    `comparison` as from `eplb_opt.compare`; draws on `ax`, or where pyplot does. Best methods on top. Layers without
    load are left out, and methods without a plan.
    """
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    loaded = comparison[(comparison["windows"] > 0) & (comparison["error"] == "")]
    ratios = (loaded["objective"] / loaded["lower_bound"]).groupby(loaded["method"])
    methods = [name for name in summarise_comparison(comparison)["method"] if name in ratios.groups][::-1]
    for place, name in enumerate(methods):
        values = ratios.get_group(name)
        colour = _SOLVE if name == SOLVE else _LAYER
        ax.plot(values, [place] * len(values), linestyle="none", marker="|", markersize=9, color=colour)
        ax.plot(values.mean(), place, marker="D", markersize=4, color=_MEAN)
    ax.axvline(1.0, color=_MEAN, linewidth=1, linestyle="--")
    ax.set_yticks(range(len(methods)), methods)
    ax.set_xscale("function", functions=(_widened, _narrowed))
    ticks = [tick for tick in _TICKS if tick <= max(1.0, ratios.max().max())] if methods else []
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("objective / proven lower bound, each layer and their mean (at 1: optimal)")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _widened(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log10(np.maximum(np.asarray(ratio) - 1.0, 0.0) + _VISIBLE)


def _narrowed(place: NDArray[np.float64]) -> NDArray[np.float64]:
    narrowed: NDArray[np.float64] = 1.0 + 10.0 ** np.asarray(place) - _VISIBLE
    return narrowed
