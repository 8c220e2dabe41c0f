"""The attack on `solve` at the length of a test: random tiny layers compared with all their placements."""

from collections import Counter
from itertools import islice

import pytest

from tests.attack_bound import KINDS, attack, attack_medium, medium, tiny


def campaign(seed, layers, seconds):
    counts = Counter()
    for batch, placements in islice(tiny(seed, layers), len(KINDS)):
        counts += attack(batch, placements, seconds)
    return counts


def test_no_layer_beats_its_bound_and_optimal_is_optimal():
    counts = campaign(seed=1, layers=3, seconds=0.03)
    assert counts["optimal"] + counts["feasible"] == 3 * len(KINDS)
    assert counts["checked"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_no_layer_beats_its_bound_and_optimal_is_optimal_on_thousands(seed, capsys):
    counts = campaign(seed=100 + seed, layers=64, seconds=1.0)
    with capsys.disabled():
        print(f" seed {seed}: {dict(counts)}")
    assert counts["optimal"] + counts["feasible"] == 64 * len(KINDS)


def test_two_solvers_of_the_whole_model_agree_on_larger_layers():
    counts = Counter()
    for batch in islice(medium(seed=2, layers=1), 8):
        counts += attack_medium(batch)
    assert counts["proven by all"] > 0
