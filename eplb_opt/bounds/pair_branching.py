"""Two slots per GPU: counts below a max load, or evidence that there are none, by cuts and by branching on counts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.bounds.gomory_cuts import gomory_cuts
from eplb_opt.bounds.mixed_counts import most_mixed
from eplb_opt.bounds.pair_evidence import Split, Sum, evidence_of, refuting_sum
from eplb_opt.bounds.pair_lp import PairLP
from eplb_opt.bounds.pair_model import PairModel, pair_ranges
from eplb_opt.certificates.layer import Ranges
from eplb_opt.errors import SolverError
from eplb_opt.instance import Instance
from eplb_opt.limits import Meter

# Rounds of cuts for all counts, and for a part of them. More make programs slower than they make parts fewer.
_ROUNDS, _ROUNDS_OF_PART = 40, 1
# Numbers in all rows: with more, branching goes on with the cuts that there are.
_MOST_NUMBERS = 2 * 10**7
# What takes seconds to check: options of all dynamic programs. A weight of an item costs as much as some options.
_MOST_OPTIONS, _OPTIONS_PER_WEIGHT = 5 * 10**7, 20


class PairTree:
    """Whether some plan is below a max load, by linear programs whose rows are rounded until they can tell.

    Each Chvátal-Gomory cut removes averages of counts. In the end counts are left, or nothing. Then the rows have
    multipliers with which no average obeys their sum, and a dynamic program in integers confirms that no counts do.
    Cuts remove less and less, so that after some rounds counts are parted in two: the smaller and the larger ones of an
    expert. Cuts are true of all counts, so those of one part serve the others.
    Source: branch-and-cut, M. Padberg and G. Rinaldi, SIAM Review 33, 60-100 (1991), https://doi.org/10.1137/1033004.

    Attributes
    ----------
    max_load
        In tokens: plans are below it.
    """

    def __init__(self, instance: Instance, max_load: Fraction) -> None:
        self.max_load = max_load
        self._instance = instance
        model = PairModel.below(instance, max_load)
        self._program = PairLP(model) if model else None
        self._parts = [model.ranges] if model else []
        self._tree: list[Split | Sum] = []
        self._options = 0

    @property
    def given_up(self) -> bool:
        """Whether the checker would take too long already."""
        return self._options > _MOST_OPTIONS

    def decide(self, meter: Meter) -> Feasibility:
        """Counts, or evidence that there are none; neither where that is open, and the next call goes on from there."""
        if self._program is None:
            return Feasibility(evidence={"argument": "counts"})
        while self._parts and not meter.exhausted and not self.given_up:
            part = self._parts.pop()
            said = self._of(part, self._program, meter)
            if isinstance(said, list):
                return Feasibility(counts=said)
            if said is None:
                self._parts.append(part)
                break
            self._tree.append(said)
            if isinstance(said, Split):
                self._parts += _halves(part, said)
        if self._parts:
            return Feasibility()
        return Feasibility(evidence=evidence_of(self._tree, self._program.rows))

    def _of(self, part: Ranges, program: PairLP, meter: Meter) -> list[int] | Sum | Split | None:
        """Counts within a part, the sum of rows that excludes all, or how to divide it; ``None``: it stays open."""
        ranges = pair_ranges(self._instance, self.max_load, part)
        if ranges is None:
            return Sum()
        program.restrict(ranges)
        rounds = _ROUNDS_OF_PART if self._tree else _ROUNDS
        try:
            refuted = program.run(meter)
            while refuted is None:
                if program.is_whole and sum(program.counts) == program.pair_model.slots:
                    return program.counts
                if not (program.is_whole and program.use_all_slots()):
                    full = len(program.rows) * program.values.size >= _MOST_NUMBERS
                    cuts = [] if full or not rounds or meter.exhausted else gomory_cuts(program, meter)
                    if not cuts:
                        break
                    for row in cuts:
                        program.add(row)
                    rounds -= 1
                refuted = program.run(meter)
        except SolverError:
            return None
        if refuted is not None:
            answer = refuting_sum(program, refuted, ranges)
            if answer is not None:
                self._options += _options(program.pair_model, ranges)
                return answer
        return None if meter.exhausted else _split(program, ranges)


def _split(program: PairLP, part: Ranges) -> Split | None:
    """Branch on an expert with mixed counts, at their average; ``None`` where each expert has one count."""
    model = program.pair_model
    least, most = (np.array(counts, dtype=np.int64) for counts in part)
    expert = most_mixed(model.experts, program.values, model.loads, least < most)
    if expert is None:
        return None
    average = program.values @ np.where(model.experts == expert, model.replicas, 0)
    return Split(expert, min(max(int(average), int(least[expert])), int(most[expert]) - 1))


def _halves(part: Ranges, split: Split) -> list[Ranges]:
    """The part with more replicas, and that with fewer, which comes first."""
    least, most = part
    expert, number = split
    return [
        ((*least[:expert], number + 1, *least[expert + 1 :]), most),
        (least, (*most[:expert], number, *most[expert + 1 :])),
    ]


def _options(model: PairModel, part: Ranges) -> int:
    """What the checker looks at where it adds up the rows for a part."""
    spare = model.slots - sum(part[0])
    return (sum(part[1]) - sum(part[0]) + model.num_experts) * (spare + 1 + _OPTIONS_PER_WEIGHT)
