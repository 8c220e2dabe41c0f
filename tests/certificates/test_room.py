"""The room of the checker: it shares no code with what finds bounds."""

import ast
import sys
from pathlib import Path

import pytest

from eplb_opt import certificates
from eplb_opt.certificates.arguments import ARGUMENTS
from eplb_opt.certificates.check import WINDOW_ARGUMENTS

ROOM = Path(certificates.__file__).parent
# What a reader of the room has to trust beside it.
TRUSTED = sys.stdlib_module_names | {"numpy"}


def imported_by(source):
    """Names of the modules that a source text imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "write the whole name"
            # What is imported from the package itself may be a room.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Name):
            assert node.id not in ("__import__", "eval", "exec"), f"line {node.lineno} hides what it imports"
    return names


def strangers_of(source):
    return {
        name
        for name in imported_by(source)
        if name.split(".")[0] not in TRUSTED - {"importlib", "runpy"} and not name.startswith("eplb_opt.certificates.")
    }


@pytest.mark.parametrize("path", sorted(ROOM.glob("**/*")), ids=lambda path: path.name)
def test_the_checker_imports_the_standard_library_numpy_and_itself(path):
    if path.suffix == ".py":
        assert not strangers_of(path.read_text())
    else:
        assert path.name == "__pycache__" or path.parent.name == "__pycache__"


@pytest.mark.parametrize(
    "line",
    [
        "from eplb_opt.exact import exact_text",
        "from eplb_opt import verify",
        "def f():\n    import eplb_opt.instance",
        "import highspy",
        "from importlib import import_module",
    ],
)
def test_any_other_import_is_seen(line):
    assert strangers_of(line)


def test_every_argument_has_its_paragraph():
    for argument in [*ARGUMENTS, *WINDOW_ARGUMENTS]:
        assert f'``"{argument}"`` (``' in certificates.__doc__
