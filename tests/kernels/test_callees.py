"""Callees: kernels that kernels call do what they do when Python calls them, and have no machine code of their own."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

from eplb_opt.kernels.compiler import compiled


@compiled
def first_of(values):
    if values.size == 0:
        raise ValueError("no value")
    return values[0]


@compiled
def sum_of_firsts(values, others):
    return first_of(values) + first_of(others)


ONES, FRACTIONS, NONE = np.ones(2, dtype=np.int64), np.array([0.5, 2.0]), np.empty(0)


def test_a_callee_is_compiled_for_python_only_once_python_calls_it():
    assert sum_of_firsts(ONES, FRACTIONS) == 1.5
    assert len(sum_of_firsts.signatures) == 1
    assert first_of.signatures == []
    assert first_of(FRACTIONS) == 0.5
    assert len(first_of.signatures) == 1


@pytest.mark.parametrize("kernel", [first_of, lambda values: sum_of_firsts(FRACTIONS, values)])
def test_what_a_callee_raises_is_raised_by_its_caller(kernel):
    with pytest.raises(ValueError, match="no value"):
        kernel(NONE)


_STORED = """
import numpy as np
from numba.core import event
from eplb_opt.kernels.compiler import compiled

{kernels}
with event.install_recorder("numba:compile") as recorder:
    assert sum_of_firsts(np.ones(2), np.array([0.5, 2.0])) == 1.5
print(sum(event.is_start for _, event in recorder.buffer))
try:
    sum_of_firsts(np.ones(2), np.empty(0))
except ValueError as error:
    print(error)
"""


def test_a_stored_kernel_needs_no_callee_compiled(tmp_path):
    # A file of its own, so that nothing of it is stored before.
    kernels = "\n".join(inspect.getsource(kernel.py_func) for kernel in (first_of, sum_of_firsts))
    (tmp_path / "stored.py").write_text(_STORED.format(kernels=kernels))
    command = [sys.executable, str(tmp_path / "stored.py")]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n") for _ in range(2)
    )
    assert int(first[0]) >= 2
    assert second[:2] == ["0", "no value"]


def test_another_version_of_numba_compiles_kernels_by_themselves():
    code = (
        "import numba; numba.__version__ = '0.99.0'\n"
        "from eplb_opt.kernels.order import heaviest_first\n"
        "import numpy as np, sys\n"
        "print(type(heaviest_first).__name__, *heaviest_first(np.array([1.0, 3.0, 2.0])))\n"
        "print('eplb_opt.kernels.callees' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["CPUDispatcher", "1", "2", "0", "False"]
