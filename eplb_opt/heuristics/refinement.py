"""Refinement: exchanges between packs that are done, and experts parted that share a GPU."""

from __future__ import annotations

import numpy as np

from eplb_opt.heuristics.parts import Packing
from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.order import heaviest_first, lightest_first
from eplb_opt.kernels.state import State, exchange

# A second exchange of an adaptive packing is for packs that differ by more than this part of what they did.
_STILL_MUCH = 0.8


@compiled
def exchange_extremes(table: Ints, weight: Floats, packing: Packing) -> None:
    """Exchange items of the heaviest and the lightest pack, as often as `packing` says and the heavier gets lighter.

    ``table[pack, place]`` are items with weights ``weight[item]``. Of all pairs, the one whose weights differ by what
    is nearest to half of what the packs do leaves the lightest heavier pack.
    """
    num_packs, size = table.shape
    load = np.zeros(num_packs)
    for pack in range(num_packs):
        for place in range(size):
            load[pack] += weight[table[pack, place]]
    for done in range(packing.exchanges):
        heavy, light = np.argmax(load), np.argmin(load)
        difference = load[heavy] - load[light]
        i, j = _best_pair(table[heavy], table[light], weight, difference, packing.candidates)
        if i < 0:
            return
        more = weight[table[heavy, i]] - weight[table[light, j]]
        table[heavy, i], table[light, j] = table[light, j], table[heavy, i]
        load[heavy] -= more
        load[light] += more
        if packing.adaptive and done == 0 and abs(load[heavy] - load[light]) <= _STILL_MUCH * difference:
            return


@compiled
def _best_pair(heavy: Ints, light: Ints, weight: Floats, difference: float, candidates: int) -> tuple[Index, Index]:
    """Places in the two packs whose exchange leaves the lightest heavier one; -1 where none makes it lighter."""
    best, best_i, best_j = difference * (1.0 - 1e-12), -1, -1
    of_heavy = heaviest_first(weight[heavy])
    of_light = lightest_first(weight[light])
    if candidates:
        of_heavy, of_light = of_heavy[:candidates], of_light[:candidates]
    for i in of_heavy:
        for j in of_light:
            more = weight[heavy[i]] - weight[light[j]]
            if more <= 0.0:
                break
            # The packs then differ by this.
            new = abs(difference - 2.0 * more)
            if new < best:
                best, best_i, best_j = new, i, j
    return best_i, best_j


@compiled
def num_doubled(state: State) -> int:
    """Replicas on a GPU that holds the expert already."""
    doubled = 0
    for gpu in range(state.holds.shape[0]):
        for held in state.holds[gpu]:
            doubled += max(0, held - 1)
    return doubled


@compiled
def part_doubles(state: State) -> None:
    """Exchange slots until no GPU holds an expert twice; no expert may have more replicas than there are GPUs.

    Each exchange takes a second replica of an expert from its GPU to one without the expert, where it leaves the
    heavier of the two GPUs the lightest. There always is one that lowers the number of doubled replicas: if all
    experts of the other GPU are on the first one too, then they are fewer than its slots, so that it holds one of
    them twice, and can give that.
    """
    slots, holds, replica_loads, load = state.slots, state.holds, state.replica_loads, state.gpu_loads
    num_gpus, size = slots.shape
    much = load.sum() + 1.0
    for gpu in range(num_gpus):
        for place in range(size):
            while holds[gpu, slots[gpu, place]] > 1:
                expert = slots[gpu, place]
                best, best_gpu, best_place = np.inf, gpu, place
                for other in range(num_gpus):
                    if holds[other, expert]:
                        continue
                    for there in range(size):
                        given = slots[other, there]
                        if holds[gpu, given] and holds[other, given] == 1:
                            continue
                        more = replica_loads[given] - replica_loads[expert]
                        new = max(load[gpu] + more, load[other] - more)
                        # A replica that is doubled here as well is for want of better only.
                        new += much if holds[gpu, given] else 0.0
                        if new < best:
                            best, best_gpu, best_place = new, other, there
                exchange(state, gpu, place, best_gpu, best_place)
