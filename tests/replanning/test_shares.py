"""Shares: the knapsack over layers, against every way to share the moves."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from eplb_opt.replanning.shares import Point, Shares


def random_points(random):
    layers = []
    for _ in range(random.integers(1, 4)):
        moves = np.append(0, np.cumsum(random.integers(1, 4, random.integers(0, 4))))
        values = np.sort(random.integers(1, 50, moves.size))[::-1]
        layers.append([Point(int(m), Fraction(int(v), 7)) for m, v in zip(moves, values, strict=True)])
    return layers


@pytest.mark.parametrize("round_up", [False, True])
def test_sums_are_the_least_of_all_ways_to_share(round_up):
    random = np.random.default_rng(2)
    for _ in range(60):
        layers, most = random_points(random), 12
        shares = Shares.of(layers, most, round_up)
        for budget in range(most + 1):
            ways = [way for way in product(*layers) if sum(point.moves for point in way) <= budget]
            least = min(sum(point.value for point in way) for way in ways)
            assert abs(shares.value(budget) - least) < Fraction(1, 10**9)
            assert shares.value(budget) >= least if round_up else shares.value(budget) <= least
            spent = shares.of_layers(budget)
            values = [max(p for p in layer if p.moves <= own).value for layer, own in zip(layers, spent, strict=True)]
            assert sum(spent) <= budget and sum(values) == least
            fewest = min(
                sum(point.moves for point in way)
                for way in product(*layers)
                if sum(point.value for point in way) <= least
            )
            assert shares.fewest(least + Fraction(1, 10**9)) <= fewest


def test_what_needs_more_moves_than_there_are_has_no_value():
    shares = Shares.of([[Point(3, Fraction(1))]], 5, round_up=True)
    assert shares.value(2) is None and shares.value(3) is not None
    assert shares.fewest(Fraction(1, 2)) is None
