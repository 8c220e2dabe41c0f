"""Colours of figures: Okabe and Ito's, which everybody can tell apart."""

from __future__ import annotations

from collections.abc import Iterable

from eplb_opt.compare import SOLVE

# The two plans that every report starts from, by their names in `eplb_opt.heuristics`.
TRIVIAL, GREEDY = "trivial", "lpt"
# The plan that runs, where one is given as that.
OLD = "old plan"

BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"
SKY = "#56B4E9"
# Seen on white and on black.
GREY = "#7F7F7F"

_KNOWN = {TRIVIAL: GREY, GREEDY: VERMILLION, SOLVE: BLUE}
_OTHERS = (GREEN, PURPLE, ORANGE)


def colours_of(plans: Iterable[str]) -> dict[str, str]:
    """A colour for each plan by its name: always the same for the known ones, in turn for all others."""
    colours, others = {}, 0
    for name in plans:
        if name not in _KNOWN:
            others += 1
        colours[name] = _KNOWN.get(name) or _OTHERS[(others - 1) % len(_OTHERS)]
    return colours


def legend_label(label: str) -> str:
    """A label that is in the legend whatever it is: Matplotlib leaves out those that begin with an underscore."""
    return f" {label}" if label.startswith("_") else label


def ink() -> str:
    """The colour of text, by which lines are drawn that are no plan's: it is seen on whatever lies behind."""
    from matplotlib import rcParams

    return str(rcParams["text.color"])
