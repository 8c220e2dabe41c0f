"""Draws: what SGLang's ranks ask under static dispatch, from the words of their streams; the law is in
`eplb_opt.dispatch.sglang_static`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.kernels.compiler import Index, Ints, compiled
from eplb_opt.kernels.shares import Sources

# Python's `random.sample` deals from a pool where there are no more than so many to choose from.
_POOL = 21


@compiled
def draw_row(words: Any, streams: Ints, sources: Sources, slots: Ints, counts: Ints, asked: Ints) -> bool:
    """How many sources ask each slot of a row, shape ``(slots,)``; `streams` ends as where ranks stand then.

    `words` are the first words of a stream, uint32, and `counts` the replicas of each expert. False where the words do
    not suffice: then there is no answer.
    """
    most = counts[np.argmax(counts)]
    places, listed = np.empty((counts.size, most), dtype=np.int64), np.zeros(counts.size, dtype=np.int64)
    for slot in range(slots.size):
        expert = slots[slot]
        places[expert, listed[expert]] = slot
        listed[expert] += 1
    scratch = np.empty((3, max(sources.gpus, most)), dtype=np.int64)
    far, dealt, pool = scratch[0], scratch[1], scratch[2]
    for slot in range(asked.size):
        asked[slot] = 0
    for expert in range(counts.size):
        n = counts[expert]
        if n == 1:
            asked[places[expert, 0]] = sources.gpus
            continue
        number = _ask_near(sources, places[expert, :n], asked, far)
        for place in range(number):
            rank = far[place]
            # As many words as a deal can take, but for draws that are repeated a hundred times.
            if streams[rank] + 100 + 32 * (number + n) > words.size:
                return False
            streams[rank] = _deal(words, streams[rank], n, number, dealt, pool)
            asked[places[expert, dealt[place]]] += 1
    return True


@compiled
def _ask_near(sources: Sources, places: Ints, asked: Ints, far: Ints) -> int:
    """Count the sources that are near a replica, and list those that are far from all."""
    number = 0
    for source in range(sources.gpus):
        on_gpu = on_node = -1
        there = 0
        for i in range(places.size):
            if sources.gpu_of[places[i]] == source and on_gpu < 0:
                on_gpu = i
            if sources.node_of[places[i]] == source // sources.gpus_per_node:
                there += 1
                if on_node < 0:
                    on_node = i
        if on_gpu >= 0:
            asked[places[on_gpu]] += 1
        elif 0 < there < places.size:
            asked[places[on_node]] += 1
        else:
            far[number] = source
            number += 1
    return number


@compiled
def _deal(words: Any, position: Index, n: Index, number: Index, dealt: Ints, pool: Ints) -> Index:
    """`number` of n replicas, as evenly as can be, shuffled; returns where the stream stands."""
    rest = number % n
    for i in range(number - rest):
        dealt[i] = i % n
    limit = _POOL
    # For more than five, 4 to the power of the logarithm of three times as many, rounded up.
    if rest > 5:
        power = 1
        while power < 3 * rest:
            power *= 4
        limit += power
    if n <= limit:
        for i in range(n):
            pool[i] = i
        for i in range(rest):
            position, j = _below(words, position, n - i)
            dealt[number - rest + i] = pool[j]
            pool[j] = pool[n - i - 1]
    else:
        for i in range(n):
            pool[i] = 0
        for i in range(rest):
            position, j = _below(words, position, n)
            while pool[j]:
                position, j = _below(words, position, n)
            pool[j] = 1
            dealt[number - rest + i] = j
    for i in range(number - 1, 0, -1):
        position, j = _below(words, position, i + 1)
        dealt[i], dealt[j] = dealt[j], dealt[i]
    return position


@compiled
def _below(words: Any, position: Index, number: Index) -> tuple[Index, Index]:
    """The next number below `number`: bits of one word after the other, until they are."""
    bits = 0
    while number >> bits:
        bits += 1
    while True:
        found = np.int64(words[position]) >> (32 - bits)
        position += 1
        if found < number:
            return position, found
