"""Parts: what the published heuristics are made of, as numbers that compiled code takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from eplb_opt.kernels.compiler import Index

# Numpy's integers: a kernel that is called with one of Python's from a global is compiled for that number alone.
# Divisor methods: the next slot goes to the expert with the largest load / divisor, r its present count.
ADAMS, DHONDT, SAINTE_LAGUE, HUNTINGTON_HILL, LATE_SAINTE_LAGUE = (np.int64(rule) for rule in range(5))
# Other rules of replication: the level of Adams' counts by bisection; quotas; in turn; the hottest on every GPU.
WATERFILL, HAMILTON, CYCLIC, EVERYWHERE = (np.int64(rule) for rule in range(5, 9))
# Rules of packing.
LPT, SNAKE, ROUNDS, DIVERSE, DIVERSE_TIE, IN_ORDER = (np.int64(rule) for rule in range(6))


class Replication(NamedTuple):
    """How the slots of a node are dealt to its experts.

    Attributes
    ----------
    rule
        ``ADAMS``: load / r; ``DHONDT``: load / (r + 1); ``SAINTE_LAGUE``: load / (2r + 1); ``HUNTINGTON_HILL``:
        load / sqrt(r (r + 1)); ``LATE_SAINTE_LAGUE``: load / (2r - 1). ``WATERFILL``: the level of Adams' counts by
        bisection, the rest by Adams. ``HAMILTON``: quotas rounded down, at least one each, then the largest
        remainders. ``CYCLIC``: one after the other. ``EVERYWHERE``: the hottest experts on every GPU, the rest by
        Adams.
    tail
        Share of the redundant slots that `tail_rule` deals at the end, at least one of them; 0: none.
    tail_rule
        A divisor method.
    adaptive
        The tail is longer where loads differ more, and by Huntington-Hill where that is cooler.
    fixups
        Afterwards one of so many experts with the coldest replicas gives one to one of so many with the hottest, where
        that makes the hottest replica cooler.
    """

    rule: Index
    tail: float = 0.0
    tail_rule: Index = LATE_SAINTE_LAGUE
    adaptive: bool = False
    fixups: int = 0


class Packing(NamedTuple):
    """How items go into packs of equal size: groups to nodes, or replicas to GPUs.

    Attributes
    ----------
    rule
        ``LPT``: heaviest first to the lightest pack with room. ``SNAKE``: sorted items dealt forth and back.
        ``ROUNDS``: one item for each pack in a round, the heaviest to the lightest. ``DIVERSE``: heaviest first to the
        pack with the fewest copies of the expert, then the lightest. ``DIVERSE_TIE``: to the lightest, and copies
        decide between packs that differ by a millionth of the mean item. ``IN_ORDER``: item after item.
    exchanges
        Afterwards up to so many exchanges between the heaviest and the lightest pack, each of which makes the heavier
        of the two lighter.
    candidates
        Of the heaviest items of the one and the lightest of the other, so many are looked at; 0: all.
    adaptive
        A second exchange only where the first left more than 80 % of the difference between the two packs.
    """

    rule: Index
    exchanges: int = 0
    candidates: int = 0
    adaptive: bool = False
