"""Callees: kernels that other kernels call, compiled only as far as these need.

Numba makes machine code of every kernel, and puts all that a kernel calls into its code once more, so that what is five
calls deep is optimised and translated six times. Machine code of its own is of use to calls from Python alone. So each
kernel has a twin that kernels call: it ends before optimisation, and is optimised as a part of each that Python calls.
What Python calls does nothing but call its twin, so that types are inferred once, whoever calls.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from llvmlite.binding import parse_assembly
from numba.core.caching import NullCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher

from eplb_opt.kernels.loading import raise_if_interrupted

# Nothing calls kernels from C.
_OPTIONS = {"nopython": True, "nogil": True, "no_cfunc_wrapper": True}


class Kernel(CPUDispatcher):  # type: ignore[misc]  # numba has no types
    """What Python calls; the type that kernels see is that of the twin."""

    def __init__(self, function: Callable[..., Any]) -> None:
        without_python = {**_OPTIONS, "no_cpython_wrapper": True}
        callee: Any = CPUDispatcher(function, targetoptions=without_python, pipeline_class=_Unoptimised)
        callee._cache = _Unstored()
        self._callee = callee
        super().__init__(_calling(callee, function), targetoptions=_OPTIONS)
        # What it does as Python code.
        self.py_func = function

    @property
    def _numba_type_(self) -> Any:
        return self._callee._numba_type_


def _calling(callee: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the arguments of another one, that calls its twin."""
    names, scope = ", ".join(signature(function).parameters), {"callee": callee}
    exec(f"def calling({names}):\n    return callee({names})\n", scope)
    return wraps(function)(scope["calling"])


class _Unstored(NullCache):  # type: ignore[misc]  # numba has no types
    def load_overload(self, sig: Any, target_context: Any) -> None:
        raise_if_interrupted()


class _Unoptimised(Compiler):  # type: ignore[misc]  # numba has no types
    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *arguments: Any) -> None:
        super().__init__(typingctx, targetctx, _Code(targetctx.codegen(), "callee"), *arguments)


class _Code(JITCodeLibrary):  # type: ignore[misc]  # numba has no types
    """The code of a callee, of which nothing but its environment, an address that callers share, gets a place."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        names = [variable.name for variable in self._final_module.global_variables if variable.linkage.name == "common"]
        places = parse_assembly("\n".join(f'@"{name}" = common global i64 0' for name in names))
        self._codegen._add_module(places)
        self._codegen._engine.finalize_object()
        self._finalized = True
