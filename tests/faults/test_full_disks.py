"""Full disks: one clear sentence, an earlier file untouched, nothing half-written."""

import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from eplb_opt.io import read_solution
from tests.clocks import LONG
from tests.faults.commands import (
    GREEDY,
    LOADS,
    SHAPE,
    begin,
    environment,
    names_in,
    record,
    require_proven,
    run,
    sentence_of,
)

# Bytes that a file may have: fewer than any result, more than nothing.
MOST = 200

# Commands by what they write, with files that each needs; the target comes last.
WRITERS = {
    "solve -o": ["solve", "loads.npz", *GREEDY, "-o", "target.json"],
    "solve -o sglang": ["solve", "loads.npz", *GREEDY, "--engine", "sglang", "-o", "target.json"],
    "solve --save": ["solve", "loads.npz", *GREEDY, "--save", "target.json"],
    "convert": ["convert", "given.json", "--to", "sglang", "-o", "target.json"],
    "report -o": ["report", "loads.npz", "given.json", "-o", "target.html"],
    "report --markdown": ["report", "loads.npz", "given.json", "--markdown", "target.md"],
    "compare --csv": [
        "compare",
        "loads.npz",
        *SHAPE[:4],
        "--methods",
        "lpt",
        "--time-limit",
        "1",
        "--csv",
        "t.csv",
    ],
    "bench -o": ["bench", "--suite", "models", "--methods", "greedy", "--only", "*x144", "-o", "target.csv"],
    "generate": ["generate", "--layers", "2", "--experts", "64", "-o", "target.npz"],
    "generate csv": ["generate", "--layers", "2", "--experts", "64", "-o", "target.csv"],
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with a recording and its solution."""
    folder = tmp_path_factory.mktemp("inputs")
    record(folder)
    code, _, err = run(folder, "solve", "loads.npz", *GREEDY, "--save", "given.json")
    assert code == 0, err
    return folder


@pytest.fixture
def folder(tmp_path, inputs):
    shutil.copytree(inputs, tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def small_disk(tmp_path_factory):
    """A file system of 64 kB; skipped where nobody may mount one."""
    folder = tmp_path_factory.mktemp("disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def limited():
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, MOST))


def failed(result):
    """The sentence of a command that may have printed results before it found the disk full."""
    code, out, err = result
    return sentence_of((code, "", err)), out


@pytest.mark.slow
@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_that_does_not_fit_is_one_sentence_and_the_old_one_stays(folder, writer):
    words = WRITERS[writer]
    target = folder / words[-1]
    # Every other command writes a new file.
    old = list(WRITERS).index(writer) % 2 == 0
    if old:
        target.write_text("what was there before")
    before = names_in(folder)
    sentence, out = failed(run(folder, *words, preexec_fn=limited))
    assert sentence == f"{target.name} cannot be written: File too large"
    assert "written to" not in out
    assert names_in(folder) == before
    assert not old or target.read_text() == "what was there before"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("writer", ["solve --save", "compare --csv"])
def test_a_device_that_is_full_is_one_sentence(folder, writer):
    words = [*WRITERS[writer][:-1], "/dev/full"]
    before = names_in(folder)
    sentence, _ = failed(run(folder, *words))
    assert sentence == "/dev/full cannot be written: No space left on device"
    assert names_in(folder) == before


@pytest.mark.slow
def test_a_disk_that_is_full_at_the_end_keeps_what_it_held(folder, small_disk):
    plan, filler = small_disk / "plan.json", small_disk / "filler"
    plan.write_text("what was there before")
    # A page is left beside the old plan, which the new one fits into; the solution does not.
    filler.write_bytes(bytes(56 * 1024))
    sentence, _ = failed(run(folder, "solve", "loads.npz", *GREEDY, "-o", plan, "--save", small_disk / "solution.json"))
    assert sentence == f"{small_disk / 'solution.json'} cannot be written: No space left on device"
    assert names_in(small_disk) == ["filler", "plan.json"]
    assert run(folder, "verify", plan)[0] == 0


@pytest.mark.slow
def test_a_log_that_fills_the_disk_costs_no_plan(folder, small_disk):
    log, plan = small_disk / "run.log", folder / "plan.json"
    (small_disk / "filler").write_bytes(bytes(64 * 1024))
    words = ["solve", "loads.npz", *SHAPE, "--time-limit", 3, "--log", log, "-o", plan, "--save", "solution.json"]
    code, out, err = run(folder, *words)
    assert code == 0, err
    assert "plan written to" in out
    assert err == f"WARNING: {log} ends here, as it cannot be written any more: No space left on device\n"
    require_proven(read_solution(folder / "solution.json"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_on_a_full_device_is_told_once(tmp_path, caplog):
    from eplb_opt import Deployment, solve
    from eplb_opt.cli.progress import progress_table

    with progress_table(Path("/dev/full")) as progress:
        require_proven(solve(LOADS, Deployment(32, 96), method="greedy", progress=progress))
    told = [message for message in caplog.messages if "/dev/full" in message]
    assert told == ["/dev/full ends here, as it cannot be written any more: No space left on device"]


@pytest.mark.slow
def test_workers_without_a_place_for_temporary_files_cost_no_plan(folder):
    # Neither the file for their last words nor CBC's model can be made.
    words = ["solve", "loads.npz", *SHAPE, "--method", "pulp:COIN_CMD", "--time-limit", 4, "--save", "solution.json"]
    process = begin(folder, *words, env=environment(TMPDIR=str(folder / "absent")))
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 0 and "Traceback" not in err, err
    require_proven(read_solution(folder / "solution.json"))
