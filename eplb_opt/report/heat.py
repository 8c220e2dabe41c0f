"""plot_heat: which experts are hot in which layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eplb_opt.loads import Loads
from eplb_opt.report.colours import ORANGE, VERMILLION
from eplb_opt.report.shares import expert_loads, with_load

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Power of the colour scale.
_GAMMA = 0.7


def plot_heat(loads: Any, ax: Axes | None = None) -> Axes:
    """Load of each expert over the mean of its layer, a row per layer, mean over windows; no colour without load.

    `loads` as in `eplb_opt.solve`; draws on `ax`, or where pyplot does. Cold experts are transparent, so that the
    picture can lie on any colour; the scale gives more room to small loads, as few experts are far hotter than most.
    """
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm, to_rgba
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    loads = Loads.of(loads)
    heat = expert_loads(loads)
    steps = [(0.0, to_rgba(ORANGE, 0.0)), (0.5, to_rgba(ORANGE, 0.9)), (1.0, to_rgba(VERMILLION, 1.0))]
    # From the second colour on it is opaque: between them hue says what alpha no longer can.
    colours = LinearSegmentedColormap.from_list("heat", steps)
    norm = PowerNorm(_GAMMA, vmin=0.0, vmax=float(with_load(heat).max(initial=2.0)))
    image = ax.imshow(heat, aspect="auto", interpolation="none", cmap=colours, norm=norm)
    ax.set_xlabel("expert")
    ax.set_ylabel("layer")
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.yaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda row, _: _label(loads.layer_ids, row)))
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, fraction=0.06)
    bar.set_label("load / layer mean")
    bar.outline.set_visible(False)
    if bar.solids is not None:
        # Hundreds of thin, half transparent strips would show their seams.
        bar.solids.set_rasterized(True)
    return ax


def _label(layer_ids: tuple[int, ...], row: float) -> str:
    return str(layer_ids[int(row)]) if 0 <= row < len(layer_ids) else ""
