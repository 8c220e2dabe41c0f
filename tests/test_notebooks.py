"""The notebooks run from the first cell to the last, on less than they show."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
# One process for all of them, as it takes most of the time of each to load what they need: the names that a cell makes
# are those of its notebook alone. Solvers start worker processes, which must not run the cells again.
RUN = """
import json, sys, traceback


def run(path):
    with open(path) as file:
        cells = json.load(file)["cells"]
    code = "\\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    try:
        exec(compile(code, path, "exec"), {"__name__": "__main__"})
    except BaseException:
        return traceback.format_exc()


if __name__ == "__main__":
    failures = {path: run(path) for path in sys.argv[1:]}
    with open("failures.json", "w") as file:
        json.dump(failures, file)
"""


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """What each notebook fails with, by its path: nothing where it runs to its end."""
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "run.py").write_text(RUN)
    small = {"MPLBACKEND": "Agg", "EPLB_OPT_LAYERS": "1", "EPLB_OPT_SECONDS": "0.05", "EPLB_OPT_RECORDINGS": ""}
    done = subprocess.run(
        [sys.executable, "run.py", *map(str, NOTEBOOKS)],
        cwd=folder,
        env=os.environ | small,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "failures.json").read_text())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, failures):
    assert failures[str(path)] is None, failures[str(path)]


def test_there_are_notebooks():
    assert NOTEBOOKS
