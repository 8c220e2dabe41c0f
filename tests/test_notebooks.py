"""The notebooks run from the first cell to the last, on less than they show."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    cells = json.loads(path.read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    # Solvers start worker processes, which must not run the cells again.
    script = "if __name__ == '__main__':\n" + "\n".join("    " + line for line in "\n".join(code).splitlines())
    (tmp_path / "cells.py").write_text(script)
    small = {"MPLBACKEND": "Agg", "EPLB_OPT_LAYERS": "1", "EPLB_OPT_SECONDS": "0.05", "EPLB_OPT_RECORDINGS": ""}
    done = subprocess.run(
        [sys.executable, "cells.py"],
        cwd=tmp_path,
        env=os.environ | small,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_there_are_notebooks():
    assert NOTEBOOKS
