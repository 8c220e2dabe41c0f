"""Folders that nothing can be written to: refused in one sentence before the long work begins."""

import shutil
import time

import pytest

from tests.faults.commands import GREEDY, SHAPE, names_in, obey_permissions, record, run, sentence_of

# Work that would take much longer than a refusal may.
LONG = [*SHAPE, "--time-limit", "500"]

OUTPUTS = {
    "solve -o": ["solve", "loads.npz", *LONG, "-o"],
    "solve --save": ["solve", "loads.npz", *LONG, "--save"],
    "solve --log": ["solve", "loads.npz", *LONG, "--log"],
    "compare --csv": ["compare", "loads.npz", *SHAPE[:4], "--time-limit", "500", "--csv"],
    "backtest -o": ["backtest", "two.npz", *SHAPE[:4], "--time-limit", "500", "-o"],
    "report -o": ["report", "loads.npz", *SHAPE[:4], "--time-limit", "500", "-o"],
    "report --save": ["report", "loads.npz", *SHAPE[:4], "--time-limit", "500", "-o", "page.html", "--save"],
    "bench -o": ["bench", "--suite", "models", "--time-limit", "500", "-o"],
    "bench --markdown": ["bench", "--suite", "models", "--time-limit", "500", "--markdown"],
}
TARGETS = {
    "below a file": ("file/target", "Not a directory"),
    "a folder": ("folder", ""),
    "in no file system": ("/proc/target", ""),
    "in an absent folder": ("absent/target", ""),
}


@pytest.fixture
def folder(tmp_path):
    record(tmp_path)
    shutil.copy(tmp_path / "loads.npz", tmp_path / "two.npz")
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_place_for_no_file_is_refused_before_the_work(folder, target):
    refuse(folder, OUTPUTS["solve -o"], *TARGETS[target])


@pytest.mark.slow
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_command_looks_before_it_works(folder, output):
    refuse(folder, OUTPUTS[output], *TARGETS["below a file"])


def refuse(folder, words, target, reason):
    before, start = names_in(folder), time.monotonic()
    sentence = sentence_of(run(folder, *words, target))
    assert time.monotonic() - start < 60
    assert sentence.startswith(f"{target} cannot be written: ") and reason in sentence
    assert names_in(folder) == before
    assert names_in(folder / "folder") == []


@pytest.mark.slow
def test_missing_permission_is_one_sentence_and_an_old_file_stays(folder):
    (folder / "plan.json").write_text("kept")
    before = names_in(folder)
    folder.chmod(0o555)
    try:
        result = run(folder, "solve", "loads.npz", *LONG, "-o", "plan.json", preexec_fn=obey_permissions)
    finally:
        folder.chmod(0o755)
    assert sentence_of(result) == "plan.json cannot be written: Permission denied"
    assert (folder / "plan.json").read_text() == "kept"
    assert names_in(folder) == before


@pytest.mark.slow
def test_a_demonstration_below_a_file_is_refused(folder):
    assert "cannot be made a folder" in sentence_of(run(folder, "demo", "--folder", "file/demo"))


@pytest.mark.slow
def test_recordings_that_may_not_be_written_to_can_be_read(folder):
    (folder / "loads.npz").chmod(0o444)
    code, _, err = run(folder, "solve", "loads.npz", *GREEDY, "-o", "folder/plan.json")
    assert (code, err) == (0, "")
    assert names_in(folder / "folder") == ["plan.json"]
