"""Whether the solver that a method names is installed, without loading it."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

from eplb_opt.backends.outcome import PROGRAM_METHODS
from eplb_opt.errors import MissingPackageError

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
