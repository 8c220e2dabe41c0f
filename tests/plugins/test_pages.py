"""The pages of the plug-ins: their Python runs, and what they name exists."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest

from tests.plugins import stand_ins

PAGES = Path(stand_ins.__file__).resolve().parents[2] / "eplb_opt" / "plugins"
ENGINES = {"vllm": stand_ins.vllm, "sglang": stand_ins.sglang, "ascend": stand_ins.vllm_ascend, "competition": dict}


def blocks(engine, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (PAGES / f"{engine}.md").read_text(), re.MULTILINE | re.DOTALL)


def test_every_plug_in_has_its_page():
    shared = {"__init__", "changes", "few_moves", "loading", "max_loads", "plain", "planner", "saved"}
    assert {file.stem for file in PAGES.glob("*.py")} - shared == set(ENGINES)
    assert set(ENGINES) <= {page.stem for page in PAGES.glob("*.md")}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_python_of_a_page_runs(monkeypatch, engine):
    stand_ins.install(monkeypatch, ENGINES[engine]())
    code = blocks(engine, "python")
    assert code
    names = {}
    for block in code:
        exec(compile(block, f"{engine}.md", "exec"), names)


@pytest.mark.parametrize(
    ("engine", "group"),
    [("vllm", "vllm.general_plugins"), ("sglang", "sglang.srt.plugins"), ("ascend", "vllm.general_plugins")],
)
def test_the_package_of_a_page_names_a_function_that_exists(engine, group):
    (text,) = blocks(engine, "toml")
    (target,) = tomllib.loads(text)["project"]["entry-points"][group].values()
    module, _, function = target.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("engine", ENGINES)
def test_modules_and_commands_that_a_page_names_exist(engine):
    text = (PAGES / f"{engine}.md").read_text()
    for module, name in set(re.findall(r"from (eplb_opt[\w.]*) import (\w+)", text)):
        assert hasattr(importlib.import_module(module), name)
    assert "EPLB_OPT_TIME_LIMIT" in text
    for heading in ("Plug it in", "What it costs", "How to see that it works", "Limits"):
        assert f"\n## {heading}\n" in text
