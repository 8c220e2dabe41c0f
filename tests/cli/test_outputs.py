"""Outputs: a file is what its name says, or the command refuses it before any work."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.cli import outputs
from eplb_opt.cli.main import app
from eplb_opt.cli.outputs import require_outputs, save_by_default
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.io import read_solution
from eplb_opt.io.recognition import ENGINES
from tests.cli.test_commands import sentence_of

SHAPE = ["--gpus", 8, "--slots", 24]
GREEDY = [*SHAPE, "--method", "greedy"]
KINDS = [kind for kind in vars(outputs).values() if isinstance(kind, outputs.Kind)]

WRONG_NAMES = {
    "report page.md": (["report", "loads.json", *SHAPE, "-o", "page.md"], "; --markdown writes .md"),
    "report page.pdf": (["report", "loads.json", *SHAPE, "-o", "page.pdf"], "does not end in .html or .htm"),
    "report page.html as Markdown": (
        ["report", "loads.json", *SHAPE, "--markdown", "page.html"],
        "does not end in .md or .markdown, as a page of Markdown does; --output writes .html",
    ),
    "report solution": (["report", "loads.json", *SHAPE, "-o", "r.html", "--save", "x.npz"], "does not end in .json"),
    "backtest": (["backtest", "loads.json", *SHAPE, "-o", "x.json"], "--output x.json does not end in .csv"),
    "compare table": (["compare", "loads.json", *SHAPE, "--csv", "x.png"], "; --figure writes .png"),
    "compare figure": (["compare", "loads.json", *SHAPE, "--figure", "x.csv"], "; --csv writes .csv"),
    "bench rows": (["bench", "-o", "x.md"], "; --markdown writes .md"),
    "bench tables": (["bench", "--markdown", "x.html"], "does not end in .md or .markdown, as a page of Markdown does"),
    "generate": (["generate", "-o", "x.txt"], "does not end in .npz or .npy or .json or .csv, as a recording does"),
    "solve plan": (["solve", "loads.json", *GREEDY, "-o", "plan.yaml"], "; --engine trtllm writes .yaml"),
    "solve solution": (["solve", "loads.json", *GREEDY, "--save", "x.npz"], "--save x.npz does not end in .json"),
    "solve certificate": (
        ["solve", "loads.json", *GREEDY, "--certificate", "x.npz"],
        "--certificate x.npz does not end",
    ),
    "backtest figure": (["backtest", "loads.json", *SHAPE, "--figure", "x.csv"], "; --output writes .csv"),
    "bench figure": (["bench", "--figure", "x.md"], "; --markdown writes .md"),
    "size table": (["size", "loads.json", "--gpus", "2", "--csv", "x.png"], "; --figure writes .png"),
    "size figure": (["size", "loads.json", "--gpus", "2", "--figure", "x.csv"], "; --csv writes .csv"),
    "replan plan": (["replan", "old.json", "loads.json", "-o", "x.csv"], "; --csv writes .csv"),
    "replan solution": (["replan", "old.json", "loads.json", "--save", "x.csv"], "; --csv writes .csv"),
    "replan rows": (["replan", "old.json", "loads.json", "--csv", "x.png"], "; --figure writes .png"),
    "replan figure": (["replan", "old.json", "loads.json", "--figure", "x.csv"], "; --csv writes .csv"),
    "diff plan": (["diff", "old.json", "new.json", "-o", "x.csv"], "; --csv writes .csv"),
    "diff rows": (["diff", "old.json", "new.json", "--csv", "x.json"], "; --output writes .json"),
    "survive rows": (["survive", "plan.json", "--csv", "x.json"], "--csv x.json does not end in .csv"),
    "solve log": (["solve", "loads.json", *GREEDY, "--log", "x.json"], "does not end in .log or .txt, as a log does"),
    "convert": (["convert", "loads.json", "--to", "vllm", "-o", "x.yaml"], "; --to trtllm writes .yaml"),
    "no ending of a figure": (
        ["compare", "loads.json", *SHAPE, "--figure", "plan"],
        "--figure plan does not end in .png",
    ),
}


@pytest.mark.parametrize("case", WRONG_NAMES)
def test_a_name_that_says_something_else_is_refused_before_any_work(run, recording, tmp_path, case):
    words, sentence = WRONG_NAMES[case]
    assert sentence in sentence_of(run(*words))
    assert [path.name for path in tmp_path.iterdir()] == [recording]


def options_with_paths():
    """Each command with each of its options that is a path, by the name that the cases above use."""
    for command in app.registered_commands:
        for name, hint in get_type_hints(command.callback, include_extras=True).items():
            (information,) = getattr(hint, "__metadata__", [None])
            if isinstance(information, typer.models.OptionInfo) and Path in (
                hint.__origin__,
                *get_args(hint.__origin__),
            ):
                # In an annotation the first name stands where a default would be.
                names = (f"--{name.replace('_', '-')}", information.default, *(information.param_decls or ()))
                yield command.name, [word for word in names if isinstance(word, str)][-1]


def test_every_option_that_names_a_file_to_write_is_among_these():
    read_or_folders = {"--warm-start", "--gpu-file", "--library", "--runs", "--folder", "--old"}
    tried = {(words[0], word) for words, _ in WRONG_NAMES.values() for word in words}
    found = set(options_with_paths())
    assert len(found) > 15
    assert {(command, option) for command, option in found - tried if option not in read_or_folders} == set()


@given(st.sampled_from(KINDS), st.sampled_from([*(ending for kind in KINDS for ending in kind.suffixes), ".xyz", ""]))
def test_what_is_accepted_ends_as_its_kind_does(tmp_path_factory, kind, ending):
    path = tmp_path_factory.getbasetemp() / f"x{ending.upper()}"
    try:
        require_outputs({"--output": (path, kind)}, [])
    except InvalidArgumentError as error:
        assert ending not in kind.suffixes and str(path) in str(error)
        assert kind.decides or ending not in (".xyz", "")
    else:
        assert ending in kind.suffixes or (ending in (".xyz", "") and not kind.decides)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_a_name_for_its_files(tmp_path, engine):
    for ending in outputs.plan_for(engine, "--engine").suffixes:
        require_outputs({"--output": (tmp_path / f"x{ending}", outputs.plan_for(engine, "--engine"))}, [])
        ENGINES[engine].require_name(f"x{ending}")


def test_a_stream_has_no_name(run, recording):
    reading, writing = os.pipe()
    code, _, err = run("solve", recording, *GREEDY, "-o", f"/dev/fd/{writing}")
    os.close(writing)
    with os.fdopen(reading) as stream:
        assert json.loads(stream.read())["format"] == "eplb_opt.plan"
    assert code == 0, err


def test_what_nobody_said_where_to_put_is_saved_beside_what_is_there(run, recording, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / recording).rename(tmp_path / "more" / "decode.v2.json")
    for name in ("decode.v2.solution.json", "decode.v2-2.solution.json", "decode.v2-3.solution.json"):
        code, out, _ = run("solve", "more/decode.v2.json", *GREEDY)
        assert code == 0 and f"\nsolution written to {name}\nnext: " in out
        assert read_solution(name).plan.num_layers == 5
    assert len(list(tmp_path.iterdir())) == 4


def test_nothing_is_saved_where_the_solution_is_printed_or_named(run, recording, tmp_path):
    code, out, _ = run("solve", recording, *GREEDY, "--json")
    assert code == 0 and json.loads(out)["format"] == "eplb_opt.solution"
    assert [path.name for path in tmp_path.iterdir()] == [recording]
    assert run("solve", recording, *GREEDY, "-o", "plan.json")[0] == 0
    assert run("solve", recording, *GREEDY, "--save", "s.json")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [recording, "plan.json", "s.json"]


def test_a_folder_that_takes_no_file_is_refused_before_the_search(run, recording, monkeypatch):
    def refuse(path):
        raise eplb_opt.errors.FileFormatError(f"{path} cannot be written: Permission denied")

    monkeypatch.setattr(outputs, "require_writable", refuse)
    text = sentence_of(run("solve", recording, *SHAPE))
    assert text.startswith("loads.solution.json cannot be written: Permission denied; name a file with --save")


def test_commands_that_end_at_once_do_not_overwrite_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    started = threading.Barrier(4)

    def save(number):
        started.wait()
        return save_by_default([Path("loads.json")], "solution", lambda path: path.write_text(str(number)))

    with ThreadPoolExecutor(4) as threads:
        paths = list(threads.map(save, range(4)))
    assert [path.read_text() for path in paths] == ["0", "1", "2", "3"]


def test_what_cannot_be_saved_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def fail(path):
        raise eplb_opt.errors.FileFormatError(f"{path} cannot be written: No space left on device")

    with pytest.raises(eplb_opt.errors.FileFormatError, match="No space left"):
        save_by_default([Path("loads.json")], "solution", fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "native"])
def test_an_engine_without_a_file_for_it_is_refused(run, recording, engine):
    assert sentence_of(run("solve", recording, *GREEDY, "--engine", engine)) == (
        f"--engine {engine} says what the plan's file is: give its name with -o"
    )


def test_the_demonstration_leaves_its_files_in_its_folder(run, tmp_path):
    assert run("demo", "--time-limit", 0.3)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    names = sorted(path.name for path in (tmp_path / "demo").iterdir())
    assert names == ["greedy.json", "loads.json", "plan.json", "sglang.json"]
