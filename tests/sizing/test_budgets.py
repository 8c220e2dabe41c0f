"""Budgets: every allocation is tried, on random curves."""

import random
from fractions import Fraction
from itertools import product

from eplb_opt.sizing.budgets import fewest_slots, least_sums


def test_no_allocation_is_better_and_one_is_as_good():
    draw = random.Random(0)
    for _ in range(200):
        layers, sizes = draw.randint(1, 4), draw.randint(1, 4)
        curves = [[Fraction(draw.randint(0, 20), draw.randint(1, 5)) for _ in range(sizes)] for _ in range(layers)]
        sums = least_sums(curves)
        choices = {
            choice: sum(curve[size] for curve, size in zip(curves, choice, strict=True))
            for choice in product(range(sizes), repeat=layers)
        }
        assert len(sums) == layers * (sizes - 1) + 1
        for budget, found in enumerate(sums):
            assert found == min(value for choice, value in choices.items() if sum(choice) <= budget)
        target = Fraction(draw.randint(0, 60), 3)
        enough = [sum(choice) for choice, value in choices.items() if value <= target]
        assert fewest_slots(sums, target) == (min(enough) if enough else None)
