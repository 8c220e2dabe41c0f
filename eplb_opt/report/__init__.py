"""Figures for notebooks, and a report that is one page: `make_report`.

Every figure draws on the axes that it is given, or where pyplot does, and returns them.
"""

from eplb_opt.report.backtest import plot_backtest
from eplb_opt.report.compare import plot_comparison
from eplb_opt.report.gpus import plot_gpu_loads
from eplb_opt.report.heat import plot_heat
from eplb_opt.report.layers import plot_layers
from eplb_opt.report.making import make_report
from eplb_opt.report.profiles import plot_gap_profile, plot_time_profile
from eplb_opt.report.progress import plot_progress
from eplb_opt.report.report import Report
from eplb_opt.report.skew import plot_skew

__all__ = [
    "Report",
    "make_report",
    "plot_backtest",
    "plot_comparison",
    "plot_gap_profile",
    "plot_gpu_loads",
    "plot_heat",
    "plot_layers",
    "plot_progress",
    "plot_skew",
    "plot_time_profile",
]
