"""Imports point one way, those inside functions too: no circle of files or rooms, and no arrow that runs back up.

certificates, nouns <- verify, evaluate <- kernels <- heuristics, backends <- bounds, formulations <- run, solve
<- compare, backtest <- replan <- io <- size <- the package itself <- report, bench, cli

A room is a folder of the package, or a file beside them. ``dispatch`` is among the nouns, below `verify`. A backend
knows its solver and nothing of this problem; what runs a bound or a program in a process of its own is in ``run``;
what checks certificates imports no other room. A file beside the folders that `LEVELS` does not name is a noun, or a
tool of nouns.
"""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "eplb_opt"
LEVELS = (
    ("verify", "evaluate", "objective", "acceptance", "incumbent", "deciding", "returned_plan"),
    ("kernels",),
    ("heuristics", "backends"),
    ("bounds",),
    ("formulations",),
    ("own_method", "methods"),
    ("run", "request", "solve"),
    ("timed", "middle", "compare", "published_scores", "backtest"),
    ("certify", "held_out", "gain", "step_times", "diff", "survival", "drop_in"),
    ("replan_diff", "replan_points"),
    ("replanning", "replan"),
    ("io",),
    ("size", "sizing"),
    ("",),
    ("report", "bench", "library", "plugins", "cli", "__main__"),
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS, start=1) for room in rooms}


def imports_in(node):
    """Import statements below a node, but those that only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from imports_in(child)


def arrows_of(package):
    """Which modules of a package each of them imports; names as in code."""
    paths = {".".join(path.relative_to(package.parent).with_suffix("").parts): path for path in package.rglob("*.py")}
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    arrows = {}
    for name, path in paths.items():
        targets = set()
        for node in imports_in(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
            else:
                assert not node.level, f"{path}:{node.lineno} imports from '.': write the whole name"
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                targets |= {module if module in paths else node.module for module in whole}
        arrows[name] = {target for target in targets if target in paths} - {name}
    return arrows


def rooms_of(arrows):
    """The same between rooms."""
    rooms = {}
    for name, targets in arrows.items():
        room = rooms.setdefault(room_of(name), set())
        room |= {room_of(target) for target in targets} - {room_of(name)}
    return rooms


def room_of(module):
    return [*module.split("."), ""][1]


def test_neither_files_nor_rooms_import_in_a_circle():
    for graph in (arrows_of(PACKAGE), rooms_of(arrows_of(PACKAGE))):
        assert list(TopologicalSorter(graph).static_order())


def test_no_arrow_runs_back_up():
    up = [
        f"{name} imports {target}"
        for name, targets in arrows_of(PACKAGE).items()
        for target in targets
        if LEVEL.get(room_of(target), 0) > LEVEL.get(room_of(name), 0)
    ]
    assert not up


def test_every_room_with_a_level_is_there():
    assert set(LEVEL) <= set(rooms_of(arrows_of(PACKAGE)))


def test_an_import_inside_a_function_closes_a_circle_and_one_for_types_does_not(tmp_path):
    package = tmp_path / "house"
    (package / "attic").mkdir(parents=True)
    (package / "__init__.py").write_text("from house.attic import roof\n")
    (package / "attic" / "roof.py").write_text("import house.cellar\n")
    cellar = package / "cellar.py"
    cellar.write_text("if TYPE_CHECKING:\n    from house.attic.roof import Tile\n")
    arrows = arrows_of(package)
    assert arrows == {"house": {"house.attic.roof"}, "house.attic.roof": {"house.cellar"}, "house.cellar": set()}
    assert rooms_of(arrows) == {"": {"attic"}, "attic": {"cellar"}, "cellar": set()}
    cellar.write_text("def f():\n    from house.attic.roof import Tile\n")
    with pytest.raises(CycleError):
        TopologicalSorter(arrows_of(package)).prepare()
