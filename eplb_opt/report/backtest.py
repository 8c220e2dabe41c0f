"""Figures of backtests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eplb_opt.backtest import CLAIRVOYANT, summarise_backtest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which everybody can tell apart.
_COLOURS = {"search": "#0072B2", "joint": "#E69F00", "greedy": "#999999"}
# Of further planners.
_OTHER = "#009E73"


def plot_backtest(scores: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Balancedness of each strategy on windows it was not made for: bars for the mean, points for single windows.

    `scores` as from `eplb_opt.backtest`; draws on `ax`, or where pyplot does. The line is the clairvoyant plan.
    """
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    table = summarise_backtest(scores)
    ceiling = float(table.loc[table["strategy"] == CLAIRVOYANT, "balancedness"].iloc[0])
    table = table[(table["strategy"] != CLAIRVOYANT) & (table["error"] == "")].iloc[::-1]
    names = table["strategy"].tolist()
    colours = [_COLOURS.get(planner, _OTHER) for planner in table["planner"]]
    ax.barh(names, table["balancedness"], color=colours, height=0.7)
    by_window = scores.groupby(["strategy", "window"])["balancedness"].mean()
    for place, name in enumerate(names):
        values = by_window[name].tolist()
        ax.plot(values, [place] * len(values), linestyle="none", marker="o", markersize=3, color="black")
    ax.axvline(ceiling, color="black", linewidth=1, linestyle="--")
    ax.annotate("clairvoyant", (ceiling, len(names) - 0.4), ha="right", va="bottom", annotation_clip=False)
    ax.set_xlim(left=max(0.0, float(by_window.min()) - 0.05), right=1.0)
    ax.set_xlabel("balancedness (mean / max load) on the window that is scored")
    ax.spines[["top", "right"]].set_visible(False)
    return ax
