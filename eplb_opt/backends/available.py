"""Whether the solver that a method names is installed, without loading it, and can plan for an objective."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

from eplb_opt.backends.outcome import PROGRAM_METHODS
from eplb_opt.errors import InvalidArgumentError, MissingPackageError

# Dispatches of which there is a program.
PROGRAMMED = ("even", "optimal")
_NEEDS = {
    "cpsat": ("ortools", "pulp"),
    "pulp:HiGHS": ("pulp", "highspy"),
    "pulp:COIN_CMD": ("pulp",),
}


def require_solver(method: str) -> None:
    """Raise a `MissingPackageError` that names the package, if `method` names a solver that is not installed."""
    if method not in PROGRAM_METHODS:
        return
    for package in _NEEDS[method]:
        if find_spec(package) is None:
            raise MissingPackageError(f"method={method!r} needs the package {package}: pip install {package}")
    if method == "pulp:COIN_CMD" and find_spec("cbcbox") is None and shutil.which("cbc") is None:
        raise MissingPackageError("method='pulp:COIN_CMD' needs the CBC solver: pip install 'pulp[cbc]'")


def require_objective(method: str, objective: str, num_windows: int, dispatch: str) -> None:
    """Raise an `InvalidArgumentError` if `method` names a solver whose program has no such objective or dispatch."""
    if method in PROGRAM_METHODS and dispatch not in PROGRAMMED:
        raise InvalidArgumentError(
            f"method={method!r} plans for the even or the optimal split, and the deployment has dispatch={dispatch!r}; "
            "use auto, search or greedy"
        )
    if method in PROGRAM_METHODS and num_windows > 1 and objective != "total":
        raise InvalidArgumentError(
            f"method={method!r} plans one window, or several with objective='total'; use auto, search or greedy"
        )
