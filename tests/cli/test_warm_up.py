"""eplb-opt warm-up: afterwards nothing is left to compile, in any process."""

import os
import subprocess
import sys

import pytest

from tests.faults.commands import ROOT

# Plans with all kinds of kernels, and prints how many of them were compiled.
PROGRAM = """
import eplb_opt
from eplb_opt.generate import generate_loads
from eplb_opt.kernels.loading import announced

def loads(windows):
    return generate_loads(num_experts=16, num_layers=1, num_windows=windows, skew=0.8).values

with announced() as compiling:
    for deployment in (eplb_opt.Deployment(12, 24), eplb_opt.Deployment(8, 24), eplb_opt.Deployment(8, 32, 2, 4)):
        eplb_opt.solve(loads(1), deployment, time_limit=1)
    eplb_opt.solve(loads(3), eplb_opt.Deployment(8, 32, 2, 4), time_limit=1)
    for name in eplb_opt.heuristics.names():
        eplb_opt.solve(loads(3), eplb_opt.Deployment(8, 32), method=name, objective="total")
print(compiling.kernels)
"""


def run(*words, **variables):
    known = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "_EPLB_OPT_KERNELS")}
    options = {"env": known | {"PYTHONPATH": str(ROOT)} | variables, "capture_output": True, "text": True}
    return subprocess.run([sys.executable, *words], check=False, **options)


@pytest.mark.slow
def test_a_call_in_a_new_process_compiles_nothing(tmp_path):
    done = run("-m", "eplb_opt", "warm-up", NUMBA_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"compiled code is in {tmp_path}, made or loaded in ")
    planned = run("-c", PROGRAM, NUMBA_CACHE_DIR=str(tmp_path))
    assert planned.stdout.strip() == "0", planned.stderr


def test_code_that_would_not_last_is_a_sentence_on_what_helps(tmp_path):
    nothing_lasts = "from eplb_opt.kernels.folder import *; KernelFolders._locator_classes = (TemporaryFolder,)"
    done = run("-c", f"{nothing_lasts}; from eplb_opt.cli.main import main; main(['warm-up'])", TMPDIR=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip().endswith("set NUMBA_CACHE_DIR to one that can be written")
