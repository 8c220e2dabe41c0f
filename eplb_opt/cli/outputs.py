"""Outputs: the files that a command writes, refused before any work where something is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from eplb_opt.arguments import one_of
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import is_stream, require_writable
from eplb_opt.io.load_files import WRITERS
from eplb_opt.io.recognition import ENGINES


@dataclass(frozen=True)
class Kind:
    """What a file holds, in words, and the endings of names that say so.

    `others` are endings of other kinds, and the option that writes such a file in place of this one. `decides`: the
    ending says what is written, so that a name needs one of `suffixes`.
    """

    what: str
    suffixes: tuple[str, ...]
    others: tuple[tuple[str, str], ...] = ()
    decides: bool = False

    def accepts(self, ending: str) -> bool:
        """Whether a file of this kind may have a name that ends so: it must not say that it holds something else."""
        return ending in self.suffixes or not (self.decides or ending in _ENDINGS)


CSV = Kind("a table of CSV", (".csv",))
FIGURE = Kind("a figure", (".png", ".svg", ".pdf"), decides=True)
HTML = Kind("a page of HTML", (".html", ".htm"))
LOADS = Kind("a recording", tuple(WRITERS), decides=True)
LOG = Kind("a log", (".log", ".txt"))
MARKDOWN = Kind("a page of Markdown", (".md", ".markdown"))
PLAN = Kind("a plan", (".json",))
SOLUTION = Kind("a solution", (".json",))
# Endings that say what a file holds, whoever wrote it.
_ENDINGS = frozenset(
    {ending for kind in (CSV, FIGURE, HTML, LOADS, LOG, MARKDOWN, SOLUTION) for ending in kind.suffixes}
    | {ending for engine in ENGINES.values() for ending in engine.suffixes}
    | {".jsonl", ".gz", ".zip", ".xlsx", ".parquet"}
)


def plan_for(engine: str, option: str) -> Kind:
    """The file of a plan for an engine, which `option` names."""
    known = ENGINES[one_of("engine", engine, ENGINES)]
    others = {ending: f"{option} {name}" for name, other in reversed(ENGINES.items()) for ending in other.suffixes}
    # Engines that do not tell kinds of files by their names take JSON.
    suffixes = known.suffixes or (".json", ".jsonl")
    return Kind(f"a plan for {known.title}", suffixes, tuple(others.items()), decides=bool(known.suffixes))


def require_outputs(outputs: Mapping[str, tuple[Path | None, Kind]], inputs: Iterable[Path | None]) -> None:
    """Check the files that options name, before anything is done or lost.

    Raises
    ------
    InvalidArgumentError
        An output that is also an input or another output, or a name that ends as files of another kind do; bytes that
        go to a stream such as ``/dev/stdout`` have no name.
    FileFormatError
        A file that cannot be written.
    """
    known = {path.resolve() for path in inputs if path is not None}
    given = [(option, path, kind) for option, (path, kind) in outputs.items() if path is not None]
    for _, path, _ in given:
        if path.resolve() in known:
            raise InvalidArgumentError(f"{path} is given twice, and writing it would lose what it holds")
        known.add(path.resolve())
    for option, path, kind in given:
        if not kind.accepts(path.suffix.lower()) and not path.is_dir() and not is_stream(path):
            raise InvalidArgumentError(_wrong_ending(option, path, kind, outputs))
        require_writable(path)


def require_default_place(recordings: Iterable[Path], what: str, way_out: str) -> None:
    """Check, before anything is done, that `save_by_default` can write; `way_out` says what to do where it cannot.

    Raises
    ------
    FileFormatError
        Nothing can be written in this folder.
    """
    try:
        require_writable(next(_default_names(recordings, what)))
    except FileFormatError as error:
        raise FileFormatError(f"{error}; {way_out}") from None


def save_by_default(recordings: Iterable[Path], what: str, write: Callable[[Path], None]) -> Path:
    """Write a file that nobody named: in this folder, named after the first recording and `what` it is, and never one
    that is there.

    Two commands that end at once get two names. The one that was written is returned.

    Raises
    ------
    FileFormatError
        Nothing can be written; nothing is left behind.
    """
    path = next(filter(_reserve, _default_names(recordings, what)))
    try:
        write(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _reserve(path: Path) -> bool:
    """Whether the name was free, and is ours now."""
    require_writable(path)
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _default_names(recordings: Iterable[Path], what: str) -> Iterator[Path]:
    """`decode.solution.json`, `decode-2.solution.json`, ..., those that are not there."""
    first = next(iter(recordings))
    # A folder may be given as a dot or two.
    stem = first.stem if first.name not in ("", "..") else first.resolve().name
    names = (Path(f"{stem}{'' if number == 1 else f'-{number}'}.{what}.json") for number in count(1))
    return (path for path in names if not path.exists() and not path.is_symlink())


def _wrong_ending(option: str, path: Path, kind: Kind, outputs: Mapping[str, tuple[Path | None, Kind]]) -> str:
    siblings = {ending: name for name, (_, other) in outputs.items() for ending in other.suffixes if name != option}
    better = (dict(kind.others) | siblings).get(path.suffix.lower())
    way_out = "" if better is None else f"; {better} writes {path.suffix}"
    return f"{option} {path} does not end in {' or '.join(kind.suffixes)}, as {kind.what} does{way_out}"
