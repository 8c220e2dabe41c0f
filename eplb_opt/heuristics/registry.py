"""Registry: the published heuristics by name, each a few parameters of shared parts.

``lpt`` is the policy of DeepSeek's EPLB (https://github.com/deepseek-ai/EPLB), which vLLM and SGLang ship; the others
keep its three stages, groups to nodes, counts, replicas to GPUs, and change a rule of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from eplb_opt.heuristics.parts import (
    ADAMS,
    CYCLIC,
    DHONDT,
    DIVERSE,
    DIVERSE_TIE,
    EVERYWHERE,
    HAMILTON,
    IN_ORDER,
    LATE_SAINTE_LAGUE,
    LPT,
    ROUNDS,
    SAINTE_LAGUE,
    SNAKE,
    WATERFILL,
    Packing,
    Replication,
)

# Of the redundant slots that the end of a hybrid replication deals.
_TAIL = 0.1
# More exchanges than any packing has use for.
_UNTIL_NONE_HELPS = 1000


@dataclass(frozen=True)
class Heuristic:
    """Groups to nodes, replicate inside each node, replicas to GPUs.

    Attributes
    ----------
    name
        As in ``solve(..., method=name)``.
    summary
        What it does, in words.
    groups, replication, gpus
        The rules of the three stages. Under the global policy there is one node, which takes all groups.
    descent
        Whether swap descent on packing and counts follows.
    """

    name: str
    summary: str
    groups: Packing
    replication: Replication
    gpus: Packing
    descent: bool = False


_LPT, _DIVERSE = Packing(LPT), Packing(DIVERSE)
_ADAMS, _WATERFILL, _HAMILTON = Replication(ADAMS), Replication(WATERFILL), Replication(HAMILTON)
_HYBRID_FIXUP = Replication(ADAMS, _TAIL, fixups=1)


def _lpt(exchanges: int) -> Packing:
    return Packing(LPT, exchanges)


_ALL = (
    Heuristic("lpt", "the policy that DeepSeek and vLLM ship", _LPT, _ADAMS, _LPT),
    Heuristic("waterfill-diverse", "level by bisection, copies on different GPUs", _LPT, _WATERFILL, _DIVERSE),
    Heuristic(
        "lpt-swap",
        "exchanges until none helps",
        _lpt(_UNTIL_NONE_HELPS),
        _ADAMS,
        _lpt(_UNTIL_NONE_HELPS),
    ),
    Heuristic("snake", "items dealt forth and back", Packing(SNAKE), _ADAMS, Packing(SNAKE)),
    Heuristic("swap4-diverse", "groups exchanged, copies on different GPUs", _lpt(4), _ADAMS, _DIVERSE),
    Heuristic("hamilton-diverse", "largest remainders", _LPT, _HAMILTON, _DIVERSE),
    Heuristic("lpt-swap1", "one exchange", _lpt(1), _ADAMS, _lpt(1)),
    Heuristic("lpt-swap2", "two exchanges", _lpt(2), _ADAMS, _lpt(2)),
    Heuristic("hamilton-rounds", "one item a round", Packing(ROUNDS, 1), _HAMILTON, Packing(ROUNDS, 1)),
    Heuristic(
        "hybrid-diverse",
        "D'Hondt, Sainte-Lague at the end",
        _lpt(2),
        Replication(DHONDT, _TAIL, SAINTE_LAGUE),
        Packing(DIVERSE, 2),
    ),
    Heuristic(
        "waterfill-fixup",
        "level by bisection, one replica moved",
        _LPT,
        Replication(WATERFILL, fixups=1),
        Packing(DIVERSE, 1, 2),
    ),
    Heuristic("fixup", "one replica moved, two exchanges", _lpt(2), Replication(ADAMS, fixups=1), _lpt(2)),
    Heuristic(
        "hybrid-fixup-tie",
        "copies decide between equal GPUs",
        _lpt(1),
        _HYBRID_FIXUP,
        Packing(DIVERSE_TIE, 2),
    ),
    Heuristic(
        "dhondt-fixup",
        "D'Hondt, Sainte-Lague at the end, one replica moved",
        _lpt(1),
        Replication(DHONDT, _TAIL, LATE_SAINTE_LAGUE, fixups=1),
        _lpt(2),
    ),
    Heuristic("hybrid-fixup", "Adams, Sainte-Lague at the end, one replica moved", _lpt(1), _HYBRID_FIXUP, _lpt(2)),
    Heuristic("diverse-swap", "copies on different GPUs, one exchange", _LPT, _ADAMS, Packing(DIVERSE, 1, 2)),
    Heuristic(
        "adaptive",
        "tail and exchanges as the loads ask for",
        Packing(LPT, 1, 2, adaptive=True),
        Replication(ADAMS, adaptive=True, fixups=2),
        Packing(DIVERSE_TIE, 2, 2, adaptive=True),
    ),
    Heuristic(
        "trivial",
        "experts in order, then again from the first",
        Packing(IN_ORDER),
        Replication(CYCLIC),
        Packing(IN_ORDER),
    ),
    Heuristic("biased", "the hottest experts on every GPU, the rest once", _LPT, Replication(EVERYWHERE), _DIVERSE),
    Heuristic(
        "descent",
        "lpt-swap, then swap descent on packing and counts",
        _lpt(_UNTIL_NONE_HELPS),
        _ADAMS,
        _lpt(_UNTIL_NONE_HELPS),
        descent=True,
    ),
)
_BY_NAME = {heuristic.name: heuristic for heuristic in _ALL}
# `eplb_opt.heuristics.joint`, which plans for all windows at once and is not made of these parts.
JOINT, _JOINT_SUMMARY = "joint", "each replica placed for all windows at once, like FlashLB"

# In the place of a name where the caller hands over the plans, and nothing is made or improved.
GIVEN = "given"


def names() -> tuple[str, ...]:
    """Names of all heuristics, as ``solve(..., method=name)`` takes them."""
    return (*_BY_NAME, JOINT)


def summaries() -> dict[str, str]:
    """What each heuristic does, by name."""
    return {**{heuristic.name: heuristic.summary for heuristic in _ALL}, JOINT: _JOINT_SUMMARY}


def heuristic_of(name: str) -> Heuristic:
    """The heuristic of a name, which is one of `names` but not `JOINT`."""
    return _BY_NAME[name]
