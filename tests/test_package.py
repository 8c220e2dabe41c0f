"""The package as a whole: fast to import, and what it promises to export."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

import eplb_opt

ROOT = Path(__file__).resolve().parents[1]


def test_importing_loads_no_heavy_library():
    code = "import eplb_opt, sys; print(*{'torch', 'ortools', 'pulp', 'numba', 'pandas', 'rich'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == []


def test_functions_stay_functions_when_modules_of_the_same_name_are_imported():
    import eplb_opt.evaluate
    import eplb_opt.solve
    import eplb_opt.verify

    assert callable(eplb_opt.solve) and callable(eplb_opt.verify) and callable(eplb_opt.evaluate)


def test_every_public_name_exists_and_is_documented():
    for name in eplb_opt.__all__:
        assert getattr(eplb_opt, name).__doc__


def test_the_version_is_the_one_of_the_changelog_and_of_the_project():
    newest = re.search(r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).group(1)
    project = re.search(r'^version = "(\S+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE).group(1)
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    assert eplb_opt.__version__ == newest == project == cited


def test_the_citation_has_what_the_format_asks_for():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0" and cited["license"] == "Apache-2.0"
    assert all(cited[key] for key in ("message", "title", "authors"))


def test_dir_shows_the_public_names_and_nothing_else():
    import eplb_opt.io.native
    import eplb_opt.solve

    assert dir(eplb_opt) == sorted([*eplb_opt.__all__, "__version__"])


def test_nothing_below_solve_imports_files_torch_or_a_terminal():
    below = ["bounds", "heuristics", "kernels", "formulations", "backends", "run"]
    for path in (path for folder in below for path in (ROOT / "eplb_opt" / folder).glob("*.py")):
        assert not re.search(r"(from|import) (eplb_opt\.files|torch|typer|rich)\b", path.read_text()), path


def test_the_package_runs_as_the_command_does():
    command = [sys.executable, "-m", "eplb_opt", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{eplb_opt.__version__}\n"
