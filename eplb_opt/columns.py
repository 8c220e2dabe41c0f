"""Columns: what the names over a table say, believed as a whole or refused.

A table is *wide*, a row per layer and a column per expert, or *long*, a row per count with columns for its layer and
its expert. Both are recognised by names alone and never by position: a column that is taken for another expert gives
a plan that is optimal for loads which nobody has.
"""

from __future__ import annotations

import re
import reprlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from eplb_opt.errors import EplbOptError

# Names without their separators, in lower case.
_LAYER = frozenset({"layer", "layerid", "layeridx", "layerindex"})
_EXPERT = frozenset({"expert", "expertid", "expertidx", "expertindex", "logicalexpert", "logicalexpertid"})
_COUNT = frozenset({"count", "counts", "load", "loads", "tokens", "tokencount", "numtokens"})
_STEP = frozenset({"step", "steps", "stepid", "iter", "iteration", "forwardpassid"})
_RANK = frozenset({"rank", "rankid", "eprank"})

_NUMBERED = re.compile(r"(.*?)([0-9]{1,6})", re.DOTALL)
# What numbered columns are if they are not experts.
_OTHER_AXES = re.compile(r"layer|rank|gpu|device|npu|slot|phys|node|step|iter|window|top", re.IGNORECASE)
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

    A wide table has columns of one prefix followed by 0 to E - 1, each once and in any order, and at most one column
    ``layer``, ``layer_id``, ``layer_idx`` or ``layer_index``. A long table has the columns ``layer``, ``expert`` and
    ``count``, or names that are used for them, and may have a ``step`` and a ``rank``. The first column of either may
    have no name, as the index of a data frame.

    Raises
    ------
    error
        Other names; the message names a column that does not fit.
    """
    plain = [re.sub(r"[\s_\-]+", "", name).lower() for name in names]
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


_ROLES = {"layer": _LAYER, "expert": _EXPERT, "count": _COUNT, "step": _STEP, "rank": _RANK}


def _long(
    names: Sequence[str], roles: dict[str, list[int]], index: int | None, error: type[EplbOptError]
) -> LongColumns:
    what = f"a table with the column {_named(names, roles['expert'][0])} has a row per count"
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
    prefixes = Counter(match[1] for _, match in found if match)
    for place, match in found:
        if match is None:
            raise error(f"column {_named(names, place)} is neither the layer nor an expert; {way_out}")
        if match[1] != prefixes.most_common(1)[0][0]:
            usual = next(other for other, known in found if known and known[1] == prefixes.most_common(1)[0][0])
            raise error(f"column {_named(names, place)} is not named like the expert {_named(names, usual)}; {way_out}")
        if _OTHER_AXES.search(match[1]):
            raise error(f"column {_named(names, place)} is not called an expert; {way_out}")
    place_of: dict[int, int] = {}
    for place, match in found:
        number = int(match[2]) if match else 0
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


def _named(names: Sequence[str], place: int) -> str:
    return f"{place + 1} ({reprlib.repr(names[place])})" if names[place].strip() else f"{place + 1} (without a name)"
