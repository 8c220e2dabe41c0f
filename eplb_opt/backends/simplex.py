"""HiGHS for linear programs that grow: a row or a column more, and on from the basis before."""

from __future__ import annotations

from typing import Any

from eplb_opt.errors import SolverError


def new_simplex() -> Any:
    """An empty program for HiGHS, solved on one thread, where it is, and silently."""
    import highspy

    highs = highspy.Highs()
    highs.silent()
    # One scheduler per process: after a run with more threads HiGHS would refuse this one.
    highs.resetGlobalScheduler(True)
    highs.setOptionValue("threads", 1)
    # The basis of a presolved program says nothing about this one.
    highs.setOptionValue("presolve", "off")
    return highs


def is_feasible(highs: Any, seconds: float) -> bool:
    """Run it for so long: whether there is an optimum; if not, there is a dual ray.

    Raises
    ------
    SolverError
        HiGHS says neither: time is over, or after numerical trouble.
    """
    # It counts the time of all runs of the program.
    highs.setOptionValue("time_limit", highs.getRunTime() + seconds)
    highs.run()
    status = highs.modelStatusToString(highs.getModelStatus())
    if status not in ("Optimal", "Infeasible"):
        raise SolverError(f"HiGHS did not solve a linear program: {status}")
    return bool(status == "Optimal")
