"""MethodFolder: what a file of methods finds beside itself, apart from what the files of other folders find."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType


@dataclass(eq=False)
class MethodFolder:
    """Imports of the files of a folder: its path is theirs alone, and so are the modules that lie in it.

    Two versions of a rule have helpers of the same name. Python imports a name once in a process, so that the second
    version would run with the helpers of the first.

    Attributes
    ----------
    path
        What these files add to the path that Python imports from. The folder is last, so that what is installed keeps
        its names; files may add others.
    modules
        What they have imported from there.
    """

    path: list[str]
    modules: dict[str, ModuleType] = field(default_factory=dict)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Imports are those of the folder; afterwards they are those from before."""
        path = list(sys.path)
        others = {name: sys.modules[name] for name in self.modules if name in sys.modules}
        sys.path += [entry for entry in self.path if entry not in path]
        sys.modules.update(self.modules)
        known = len(sys.modules)
        try:
            yield
        finally:
            self.path += [entry for entry in sys.path if entry not in path and entry not in self.path]
            # Names keep the order in which they came.
            self._take(list(islice(reversed(sys.modules), max(len(sys.modules) - known, 0))))
            for name in self.modules:
                sys.modules.pop(name, None)
            sys.modules.update(others)
            sys.path[:] = path

    def _take(self, names: list[str]) -> None:
        """Those of modules that lie in the folder, by name, become its own."""
        places = {Path(entry).resolve() for entry in self.path} if names else set()
        for name in names:
            if _home_of(sys.modules.get(name.partition(".")[0])) in places:
                self.modules[name] = sys.modules[name]


@cache
def method_folder(folder: str) -> MethodFolder:
    """The one of a folder, the same for all of its files."""
    return MethodFolder([folder])


def fingerprint(file: Path, source: bytes) -> str:
    """Of a file of methods and of what it imports from its folder, in functions too, and what that imports."""
    found = hashlib.sha256(source)
    seen, waiting = {file.resolve()}, [source]
    while waiting:
        for name in sorted(_imported(waiting.pop())):
            for path in (file.parent / f"{name}.py", *sorted((file.parent / name).rglob("*.py"))):
                if path.is_file() and path.resolve() not in seen:
                    seen.add(path.resolve())
                    waiting.append(path.read_bytes())
                    found.update(waiting[-1])
    return found.hexdigest()


def _imported(source: bytes) -> set[str]:
    """Top names that a file imports; none where it is no Python, which importing it tells."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return set()
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def _home_of(module: ModuleType | None) -> Path | None:
    """The folder that a module, or package, lies in."""
    spec = getattr(module, "__spec__", None)
    if spec is None:
        return None
    # A package is a folder in that folder.
    place = next(iter(spec.submodule_search_locations or ()), spec.origin)
    return None if place is None else Path(place).resolve().parent
