"""README: its blocks run, and print what it says they print."""

import re
import shlex
from pathlib import Path

import pytest

import eplb_opt
from eplb_opt.cli.main import main
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads

TEXT = (Path(__file__).resolve().parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def blocks(language):
    return [body for name, body in BLOCKS if name == language]


def rounded(line):
    """A line of output without its run time, numbers to four decimals: search may differ in the last digits."""
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number.group()):.3f}", line.rsplit(",", 1)[0])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_block_prints_what_the_readme_says(folder, capsys):
    write_loads(generate_loads(skew=0.8), folder / "loads.json")
    exec(compile(blocks("python")[0], "README.md", "exec"), {})
    printed, said = capsys.readouterr().out.strip(), blocks("text")[0].strip()
    assert rounded(printed).split("gap")[0] == rounded(said).split("gap")[0]
    assert eplb_opt.read_plan("sglang.json").num_layers == 58


def test_the_commands_run(folder, capsys):
    write_loads(generate_loads(num_layers=3, skew=0.8), folder / "decode.json")
    (console,) = [body for body in blocks("console") if "eplb-opt solve" in body]
    commands = [shlex.split(line, comments=True) for line in console.splitlines()]
    assert [command[:2] for command in commands] == [
        ["eplb-opt", name] for name in ("solve", "convert", "verify", "report")
    ]
    printed = {}
    for command in commands:
        arguments = [*command, "--time-limit", "0.5"] if command[1] in ("solve", "report") else command
        with pytest.raises(SystemExit) as end:
            main(arguments[1:])
        out, err = capsys.readouterr()
        assert end.value.code == 0, err
        printed[command[1]] = out
    assert "valid; layers 0-2, 256 experts in 288 slots on 72 GPUs" in printed["verify"]
    assert "No plan can do better" in printed["report"]
    rows = re.findall(r"^  (\S.*?)  +\S+ %$", blocks("text")[1], re.MULTILINE)
    assert rows == re.findall(r"^  (\S.*?)  +\S+ %$", printed["solve"], re.MULTILINE) and len(rows) == 4


def test_every_link_to_a_file_of_the_project_leads_somewhere():
    root = Path(__file__).resolve().parents[1]
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert links
    assert [link for link in links if not (root / link).exists()] == []
