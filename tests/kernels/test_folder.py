"""Kernel folder: an installation that takes no files compiles once for all processes of a run, and says what helps."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eplb_opt.io import read_solution
from eplb_opt.kernels import folder as kernel_folder
from eplb_opt.kernels.cache import _CheckedFiles
from tests.faults.commands import obey_permissions

ROOT = Path(__file__).resolve().parents[2]
KERNEL = """
from eplb_opt.kernels.compiler import compiled

@compiled
def twice(number):
    return 2 * number
"""
# Calls a kernel, and has a child do the same: for each, how many kernels it compiled, and where kernels are stored.
PROGRAM = """
import json, os, subprocess, sys
from eplb_opt.kernels.loading import announced
sys.path.insert(0, sys.argv[1])
with announced() as compiling:
    from kernel import twice
    assert twice(3) == 6
cache = twice._cache
said = {"compiled": compiling.kernels, "folder": cache.cache_path, "how_often": cache.how_often}
if sys.argv[2] == "parent":
    child = subprocess.run([sys.executable, __file__, sys.argv[1], "child"], capture_output=True, text=True)
    said["child"] = json.loads(child.stdout)
    said["files"] = sorted(os.listdir(cache.cache_path))
print(json.dumps(said))
"""


@pytest.fixture
def installed(tmp_path):
    """A module with a kernel, of which nothing can be stored beside it; whoever runs this, root too."""
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "kernel.py").write_text(KERNEL)
    (folder / "__pycache__").write_text("a file, so that no folder can be made")
    (tmp_path / "program.py").write_text(PROGRAM)
    return folder


def run(folder, **variables):
    """What a process and its child say, without a home in which anything could be stored."""
    nowhere = str(folder / "kernel.py" / "home")
    known = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "_EPLB_OPT_KERNELS")}
    known |= {"HOME": nowhere, "XDG_CACHE_HOME": nowhere, "PYTHONPATH": str(ROOT)} | variables
    command = [sys.executable, str(folder.parent / "program.py"), str(folder), "parent"]
    done = subprocess.run(command, capture_output=True, text=True, env=known, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_one_process_compiles_for_all_that_it_starts_and_the_folder_goes_with_it(installed, tmp_path):
    (tmp_path / "temporary").mkdir()
    said = run(installed, TMPDIR=str(tmp_path / "temporary"))
    assert (said["compiled"], said["child"]["compiled"]) == (1, 0)
    assert said["folder"] == said["child"]["folder"]
    assert Path(said["folder"]).is_relative_to(tmp_path / "temporary")
    assert len(said["files"]) == 2
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_is_compiled_at_every_start_says_so_and_names_the_variable(installed):
    said = run(installed)
    assert said["how_often"] == (
        f"at every start, as nothing can be stored in {installed} or in the user's cache folder: set NUMBA_CACHE_DIR "
        "to a folder that can be written"
    )


def test_the_variable_chooses_a_folder_that_lasts(installed, tmp_path):
    first = run(installed, NUMBA_CACHE_DIR=str(tmp_path / "chosen"))
    assert (first["compiled"], first["child"]["compiled"], first["how_often"]) == (1, 0, "once per machine")
    assert Path(first["folder"]).is_relative_to(tmp_path / "chosen")
    assert run(installed, NUMBA_CACHE_DIR=str(tmp_path / "chosen"))["compiled"] == 0


def test_without_any_folder_there_is_nothing_to_load_and_no_complaint(monkeypatch, caplog):
    def refuse(**_):
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.delenv("_EPLB_OPT_KERNELS", raising=False)
    monkeypatch.setattr(kernel_folder.tempfile, "mkdtemp", refuse)
    folder = kernel_folder.shared_folder.__wrapped__()
    assert not folder.exists() and "_EPLB_OPT_KERNELS" not in os.environ
    assert _CheckedFiles(str(folder), "kernel", (1.5, 100)).load("one") is None
    assert caplog.messages == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="capabilities of Linux")
def test_kernels_that_were_installed_are_used_where_nothing_can_be_stored_beside_them(installed, tmp_path):
    (installed / "__pycache__").unlink()
    assert run(installed)["compiled"] == 1
    # As an image that was built by somebody else: the stored kernels can be read, and the folder takes no more.
    (installed / "__pycache__").chmod(0o555)
    command = [sys.executable, str(tmp_path / "program.py"), str(installed), "child"]
    nowhere = str(installed / "kernel.py" / "home")
    variables = os.environ | {"HOME": nowhere, "XDG_CACHE_HOME": nowhere, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, capture_output=True, text=True, env=variables, preexec_fn=obey_permissions, check=True
    )
    said = json.loads(done.stdout)
    assert (said["compiled"], Path(said["folder"]).is_relative_to(installed)) == (0, False)


@pytest.mark.slow
def test_a_read_only_installation_without_a_home_compiles_once_for_itself_and_its_workers(tmp_path):
    shutil.copytree(ROOT / "eplb_opt", tmp_path / "eplb_opt", ignore=shutil.ignore_patterns("__pycache__"))
    for package in ("heuristics", "kernels", "bounds"):
        (tmp_path / "eplb_opt" / package / "__pycache__").write_text("a file")
    (tmp_path / "temporary").mkdir()
    nowhere = str(tmp_path / "eplb_opt" / "__init__.py" / "home")
    variables = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    variables |= {"HOME": nowhere, "XDG_CACHE_HOME": nowhere, "TMPDIR": str(tmp_path / "temporary")}
    generate = "generate -o loads.npz --experts 20 --layers 2 --skew 0.3"
    solve = "solve loads.npz --gpus 12 --slots 24 --target-gap 0 --time-limit 30 --save s.json"
    for words in (generate, solve):
        command = [sys.executable, "-P", "-m", "eplb_opt", *words.split()]
        options = {"env": variables | {"PYTHONPATH": str(tmp_path)}, "cwd": tmp_path}
        done = subprocess.run(command, capture_output=True, text=True, check=True, **options)
    assert "happens at every start" in done.stderr
    # Seconds of compiling are not counted, and workers have none: there was time for proofs that take some in a worker.
    layers = read_solution(tmp_path / "s.json").layers
    assert [(layer.status, layer.proof.argument) for layer in layers] == [("optimal", "pairing")] * 2
    assert list((tmp_path / "temporary").iterdir()) == []
