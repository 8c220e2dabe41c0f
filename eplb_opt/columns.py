"""Columns: what the names over a table say, believed as a whole or refused.

A table is *wide*, a row per layer and a column per expert, or *long*, a row per count with columns for its layer and
its expert. Both are recognised by names alone and never by position: a column that is taken for another expert gives
a plan that is optimal for loads which nobody has.
"""

from __future__ import annotations

import re
import reprlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from eplb_opt.errors import EplbOptError

# Names without their separators, in lower case.
_ENDINGS = ("", "id", "idx", "index", "no", "number")
_LAYER = frozenset(f"{name}{ending}" for name in ("layer", "decoderlayer") for ending in _ENDINGS)
_EXPERT = frozenset(f"{name}{ending}" for name in ("expert", "logicalexpert") for ending in _ENDINGS)
_COUNT = frozenset(
    {"count", "counts", "load", "loads", "expertcount", "expertload", "hits", "freq", "frequency", "n"}
    | {"tokens", "tokencount", "tokencounts", "numtokens", "ntokens", "activations"}
)
_STEP = frozenset({"step", "steps", "stepid", "iter", "iteration", "forwardpassid"})
_RANK = frozenset({"rank", "rankid", "eprank"})

_NUMBERED = re.compile(r"([^0-9]*)([0-9]{1,6})([^0-9%]*)")
# Words that say expert around a number (R puts an X in front), and words that may stand beside them.
_SAY_EXPERT = frozenset({"e", "ex", "exp", "expert", "experts", "x"})
_BESIDE = frozenset({"logical", "routed", "moe", "mlp", "load", "loads", "count", "counts", "tokens"})
# Floats up to here are integers exactly.
_MOST_ID = 2**53
# An index without a name, as pandas writes it, and as it reads it back.
_UNNAMED = frozenset({"", "unnamed: 0"})


@dataclass(frozen=True)
class WideColumns:
    """Places of the columns of a table with a row per layer.

    Attributes
    ----------
    experts
        Place of each expert's column.
    layer
        Place of the column of layer ids, if there is one.
    index
        Place of a column without a name, if there is one.
    """

    experts: tuple[int, ...]
    layer: int | None = None
    index: int | None = None


@dataclass(frozen=True)
class LongColumns:
    """Places of the columns of a table with a row per count; counts of a step are summed over ranks."""

    layer: int
    expert: int
    count: int
    step: int | None = None
    rank: int | None = None
    index: int | None = None


def columns_of(names: Sequence[str], error: type[EplbOptError]) -> WideColumns | LongColumns:
    """Places of the columns of these names.

    A wide table has columns of one name around 0 to E - 1, each once and in any order, and at most one column
    ``layer``, ``layer_id``, ``layer_idx`` or ``layer_index``. The name says expert, as ``e0`` and ``Expert 0 load`` do,
    or there is none: what else is numbered, such as layers, GPUs and runs, is no expert. A long table has the columns
    ``layer``, ``expert`` and ``count``, or names that are used for them, and may have a ``step`` and a ``rank``. The
    first column of either may have no name, as the index of a data frame.

    Raises
    ------
    error
        Other names; the message names a column that does not fit.
    """
    plain = [_plain(name) for name in names]
    index = 0 if names and names[0].strip().lower() in _UNNAMED else None
    roles = {role: [i for i, name in enumerate(plain) if name in known] for role, known in _ROLES.items()}
    for role, places in roles.items():
        if len(places) > 1 and role != "count":
            raise error(f"columns {_named(names, places[0])} and {_named(names, places[1])} both say the {role}")
    if roles["expert"]:
        return _long(names, roles, index, error)
    layer = roles["layer"][0] if roles["layer"] else None
    rest = [i for i in range(len(names)) if i not in (layer, index)]
    return WideColumns(_experts(names, rest, error), layer, index)


def layer_ids_of(
    layers: Iterable[Any] | None, index: Iterable[Any] | None, error: type[EplbOptError]
) -> list[Any] | None:
    """Layer ids of rows: those of their layer column, else those of a column without a name; ``None``: none are said.

    A column without a name says nothing where it counts the rows from 0, as the index of a data frame does that was
    never set, or where another column says the layer.

    Raises
    ------
    error
        A column without a name that holds no numbers of rows, or counts from 1, as rows and decoder layers both do.
    """
    ids = None if layers is None else [id_of(value) for value in layers]
    if index is None:
        return ids
    unnamed = [id_of(value) for value in index]
    if ids is not None:
        wrong = next((value for value in unnamed if type(value) is not int or value < 0), None)
        if wrong is not None:
            raise error(f"column 1 has no name and holds {wrong!r}, no number of a row; name it or leave it out")
        return ids
    if unnamed == list(range(1, len(unnamed) + 1)):
        raise error("column 1 has no name and counts from 1, rows or decoder layers; name it layer, or leave it out")
    return None if unnamed == list(range(len(unnamed))) else unnamed


def id_of(value: Any) -> Any:
    """The integer that a cell holds, also where pandas has made a float of it, as a row was missing; else the cell."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _MOST_ID else value


def says_expert(name: str) -> bool:
    """Whether a name is one of those for the column of experts."""
    return _plain(name) in _EXPERT | {"experts"}


_ROLES = {"layer": _LAYER, "expert": _EXPERT, "count": _COUNT, "step": _STEP, "rank": _RANK}


def _long(
    names: Sequence[str], roles: dict[str, list[int]], index: int | None, error: type[EplbOptError]
) -> LongColumns:
    what = f"a table with column {_named(names, roles['expert'][0])} has a row per count"
    for role in ("layer", "count"):
        if not roles[role]:
            raise error(f"{what}, and no column says the {role}; name one {role!r}")
    if len(roles["count"]) > 1:
        first, second = (_named(names, place) for place in roles["count"][:2])
        raise error(f"{what}, and both {first} and {second} may be the counts; leave one of them out")
    places = {role: found[0] for role, found in roles.items() if found}
    for place in range(len(names)):
        if place not in (index, *places.values()):
            raise error(f"{what}, and {_named(names, place)} is not its layer, expert, count, step or rank")
    return LongColumns(**places, index=index)


def _experts(names: Sequence[str], places: Sequence[int], error: type[EplbOptError]) -> tuple[int, ...]:
    """Place of each expert's column."""
    if not places:
        raise error("the table is empty: no column is an expert")
    way_out = "columns are layer and one for each expert, such as expert_0, or layer, expert and count"
    found = [(place, _NUMBERED.fullmatch(names[place].strip())) for place in places]
    usual = Counter(match.group(1, 3) for _, match in found if match).most_common(1)
    place_of: dict[int, int] = {}
    for place, match in found:
        if match is None:
            raise error(f"column {_named(names, place)} is neither the layer nor an expert; {way_out}")
        if match.group(1, 3) != usual[0][0]:
            other = next(other for other, known in found if known and known.group(1, 3) == usual[0][0])
            raise error(f"column {_named(names, place)} is not named like the expert {_named(names, other)}; {way_out}")
        if not _numbers_experts(*usual[0][0]):
            raise error(f"column {_named(names, place)} is not called an expert; {way_out}")
        if len(places) == 1 and names[place].strip().isdecimal():
            # Pandas calls a column 0 that has no name, such as the tokens of each layer.
            raise error(f"column {_named(names, place)} alone may be no expert; call it expert_0 if it is one")
        number = int(match[2])
        if number in place_of:
            both = f"{_named(names, place_of[number])} and {_named(names, place)}"
            raise error(f"columns {both} are both expert {number}")
        place_of[number] = place
    if set(place_of) == set(range(1, len(places) + 1)):
        raise error(f"columns count experts from 1 to {len(places)}, and experts are counted from 0; rename them")
    missing = next((number for number in range(len(places)) if number not in place_of), None)
    if missing is not None:
        raise error(
            f"{len(places)} columns are experts, up to {_named(names, place_of[max(place_of)])}, and none is expert "
            f"{missing}; experts are 0 to E - 1, each with a column"
        )
    return tuple(place_of[number] for number in range(len(places)))


def _numbers_experts(before: str, behind: str) -> bool:
    """Whether what stands around a number is nothing, or says that experts are numbered."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+", f"{before} {behind}")
    words = {word.lower() for word in found}
    return not before + behind or bool(words & _SAY_EXPERT and words <= _SAY_EXPERT | _BESIDE)


def _plain(name: str) -> str:
    return re.sub(r"[\s_.\-]+", "", name).lower()


def _named(names: Sequence[str], place: int) -> str:
    return f"{place + 1} ({reprlib.repr(names[place])})" if names[place].strip() else f"{place + 1} (without a name)"
