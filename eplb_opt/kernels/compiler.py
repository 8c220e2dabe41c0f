"""Compiler: how compiled code is made, and the words it is written in.

A node has `E` experts with loads ``w``, `G` GPUs and a table ``slots[g, s]`` of its experts, numbered from 0.
Under the global policy the whole deployment is one node. Kernels use float64 and release the GIL; what they
return is valued and verified again in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from eplb_opt.kernels.cache import KernelCache

# Versions of numba whose insides `eplb_opt.kernels.callees` is known to fit. With others first calls compile longer.
_TESTED = ("0.68.",)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Masks = NDArray[np.uint64]
Index = int | np.signedinteger[Any]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _dispatcher(function: Callable[..., Any]) -> Any:
    if not numba.__version__.startswith(_TESTED):
        return numba.njit(nogil=True)(function)
    # Other versions may lack what it is made of.
    from eplb_opt.kernels.callees import Kernel

    return Kernel(function)


def compiled(function: _Function) -> _Function:
    """Compile on first use, and store the code where `eplb_opt.kernels.folder` says."""
    # What runs kernels as Python, to debug them: numba reads NUMBA_DISABLE_JIT when it is imported.
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # made of names that its types do not have
        return function
    kernel: Any = _dispatcher(function)
    # RuntimeError: numba's settings allow no folder.
    with suppress(RuntimeError):
        kernel._cache = KernelCache(function)
    return kernel  # type: ignore[no-any-return]
