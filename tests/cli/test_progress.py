"""Progress: a table on a terminal, a line per event in a log, nothing in a pipe."""

import os
import pty
import re
import subprocess
import sys
from fractions import Fraction

import pytest
from rich.console import Console

from eplb_opt.cli.progress import _table, progress_table
from eplb_opt.errors import FileFormatError
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads
from eplb_opt.progress import Progress


def progress(layer, gap, worst=None):
    return Progress(2.5, 10.0, layer, Fraction(1000), Fraction(1000) * (1 - gap), gap, 3, 1, worst)


def test_layers_with_the_widest_gaps_are_on_top_and_the_others_counted():
    latest = {layer: progress(layer, Fraction(gap, 1000)) for layer, gap in ((3, 1), (4, 30), (5, 2))}
    console = Console(width=100)
    with console.capture() as capture:
        console.print(_table(progress(4, Fraction(30, 1000), Fraction(30, 1000)), latest, rows=2))
    lines = capture.get().splitlines()
    assert lines[0].startswith("8 of 10 s left, 1/3 layers done, worst gap 3 %")
    assert [line.split()[:3] for line in lines[1:4]] == [
        ["layer", "objective", "bound"],
        ["4", "1,000", "970"],
        ["5", "1,000", "998"],
    ]
    assert lines[4].strip() == "and 1 layers with smaller gaps"


def test_a_log_has_a_line_per_event_as_it_happens(tmp_path):
    path = tmp_path / "run.log"
    with progress_table(path) as show:
        show(progress(3, Fraction(1, 100)))
        assert len(path.read_text().splitlines()) == 1
        show(progress(3, Fraction(0), Fraction(1, 50)))
    first, second = path.read_text().splitlines()
    assert re.fullmatch(r"\S+ seconds=2\.50 layer=3 objective=1000 bound=990 gap=1\.000e-02 done=1/3", first)
    assert second.endswith("bound=1000 gap=0.000e+00 done=1/3 worst_gap=2.000e-02")


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path):
    with (
        pytest.raises(FileFormatError, match=r"run\.log cannot be written: No such file"),
        progress_table(tmp_path / "absent" / "run.log"),
    ):
        pass


def test_without_a_terminal_and_a_log_nothing_is_called():
    with progress_table() as show:
        assert show is None


def test_a_terminal_shows_layers_and_a_pipe_nothing(tmp_path):
    write_loads(generate_loads(num_experts=32, num_layers=3), tmp_path / "loads.json")
    command = [sys.executable, "-m", "eplb_opt"]
    solve = [*command, "solve", "loads.json", "--gpus", "8", "--slots", "40", "--time-limit", "1", "--target-gap", "0"]
    piped = subprocess.run(solve, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert piped.stderr == ""
    ours, theirs = pty.openpty()
    with subprocess.Popen(solve, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert process.returncode == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"s left, \d/3 layers done", plain)
    assert re.search(r"layer\s+objective\s+bound\s+gap", plain)
