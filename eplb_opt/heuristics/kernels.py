"""Kernels: how compiled code is made, and the words it is written in.

A node has `E` experts with loads ``w``, `G` GPUs and a table ``slots[g, s]`` of its experts, numbered from 0.
Under the global policy the whole deployment is one node. Kernels use float64 and release the GIL; what they
return is valued and verified again in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core.caching import FunctionCache
from numpy.typing import NDArray

from eplb_opt.heuristics.kernel_cache import KernelCache

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Masks = NDArray[np.uint64]
Index = int | np.signedinteger[Any]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile on first use, once per machine; where no folder can be written, once per process."""
    options: dict[str, Any] = {"nogil": True}
    try:
        kernel = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    if isinstance(getattr(kernel, "_cache", None), FunctionCache):
        kernel._cache = KernelCache(function)
    return kernel  # type: ignore[no-any-return]
