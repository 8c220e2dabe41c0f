"""The command line in processes of its own, as users run it, and what has to be true of its end."""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import eplb_opt
from eplb_opt.generate import generate_loads
from eplb_opt.io import read_solution, write_loads

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "eplb_opt"]
# Layers that neither search nor proof close within a test's time.
LOADS = generate_loads(num_experts=64, num_layers=4, skew=1.5, seed=5)
SHAPE = ["--gpus", "32", "--slots", "96", "--target-gap", "0"]
GREEDY = ["--gpus", "32", "--slots", "96", "--method", "greedy"]


def environment(root=ROOT, **more):
    """Variables under which the package of these tests is imported, whichever is installed."""
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, **more}


def begin(folder, *words, command=COMMAND, **options):
    """A command that runs in `folder`."""
    options = {"env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([*command, *map(str, words)], cwd=folder, text=True, **options)


def run(folder, *words, **options):
    """Exit code, stdout and stderr of a command in `folder`."""
    process = begin(folder, *words, **options)
    try:
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    return process.returncode, out, err


def obey_permissions():
    """For `preexec_fn`: root is asked for permissions like everybody else, on Linux."""
    drop, override, search = 24, 1, 2
    for capability in (override, search):
        ctypes.CDLL(None).prctl(drop, capability, 0, 0, 0)


def sentence_of(result):
    """What a command that failed says: one line, and nothing else."""
    code, out, err = result
    assert (code, out) == (2, ""), result
    assert re.fullmatch(r"eplb-opt: [^\n]+\n", err), err
    return err.removeprefix("eplb-opt: ").strip()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def record(folder):
    """The recording that the tests plan, as a file."""
    write_loads(LOADS, folder / "loads.npz")


def require_proven(solution):
    """Valid, never worse than the greedy policy, and "optimal" only where value and bound are the same number."""
    assert eplb_opt.verify(solution.plan) == []
    for layer in solution.layers:
        assert 0 < layer.lower_bound <= layer.objective
        assert (layer.status == "optimal") == (layer.lower_bound == layer.objective)


def require_proven_file(path):
    """As `require_proven`, and every certificate in the file is checked against the recording."""
    require_proven(read_solution(path))
    code, out, err = run(path.parent, "verify", path.name, "loads.npz")
    assert (code, err) == (0, ""), out + err
