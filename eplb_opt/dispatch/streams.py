"""Streams: the random numbers that SGLang's ranks draw at start.

Each rank has a ``random.Random(42)`` of its own. All of them give the same 32-bit words, so where a rank stands is one
number: the words that it has drawn.
"""

from __future__ import annotations

import random
from collections.abc import MutableSequence
from functools import cache
from typing import Any

import numpy as np

_SEED = 42
# Words are made by so many.
BLOCK = 1 << 16
# Words for each number below a limit, of which one in two does at worst.
_MOST_REPEATS = 64


@cache
def words(blocks: int) -> list[int]:
    """The first words of a stream, so many blocks of them."""
    # The generator of NumPy with Python's state: the same words, and no loop over them.
    state = random.Random(_SEED).getstate()[1]
    generator = np.random.MT19937()
    generator.state = {"bit_generator": "MT19937", "state": {"key": np.array(state[:-1]), "pos": state[-1]}}
    found: list[int] = generator.random_raw(blocks * BLOCK).tolist()
    return found


class Stream(random.Random):
    """What `random.Random` draws from word number `position` of a stream on; ``sample`` is Python's own."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position
        self._words: list[int] = []

    def getrandbits(self, k: int, /) -> int:
        """The next word, or its first `k` bits; lists of replicas and ranks ask for fewer than 32."""
        if self.position >= len(self._words):
            self._words = words(self.position // BLOCK + 1)
        word = self._words[self.position]
        self.position += 1
        return word >> (32 - k)

    def shuffle(self, x: MutableSequence[Any]) -> None:
        """As Python shuffles, in one loop: most words are drawn here, and calls for each take seconds for a plan."""
        words_, position = words((self.position + _MOST_REPEATS * len(x)) // BLOCK + 1), self.position
        for i in range(len(x) - 1, 0, -1):
            shift = 32 - (i + 1).bit_length()
            j = words_[position] >> shift
            position += 1
            while j > i:
                j = words_[position] >> shift
                position += 1
            x[i], x[j] = x[j], x[i]
        self.position = position
