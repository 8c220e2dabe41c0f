"""generate_loads: the recipe it promises."""

import numpy as np
import pytest

from eplb_opt.errors import InvalidArgumentError
from eplb_opt.generate import generate_loads


@pytest.mark.parametrize("family", ["lognormal", "rank", "dominant", "uniform"])
def test_tokens_are_kept_and_the_seed_decides(family):
    options = {"num_experts": 16, "num_layers": 3, "num_windows": 2, "family": family, "tokens": 10_000}
    loads = generate_loads(**options, seed=1)
    assert loads.values.shape == (2, 3, 16)
    assert (loads.values.sum(axis=2) == 10_000).all()
    assert loads == generate_loads(**options, seed=1)
    assert loads != generate_loads(**options, seed=2)


def test_the_families_are_as_skewed_as_they_say():
    million = 1_000_000
    by_rank = generate_loads(num_experts=4, num_layers=1, family="rank", skew=1.0, tokens=million).values.ravel()
    # 1, 1/2, 1/3, 1/4 sum to 25/12.
    assert np.sort(by_rank)[::-1] / million == pytest.approx([12 / 25, 6 / 25, 4 / 25, 3 / 25], abs=5e-3)
    dominant = generate_loads(num_experts=5, num_layers=1, family="dominant", skew=3.0, tokens=million).values
    assert dominant.max() / million == pytest.approx(3 / 4, abs=5e-3)
    flat = generate_loads(num_experts=5, num_layers=1, family="uniform", tokens=million).values
    assert flat / million == pytest.approx(np.full((1, 1, 5), 0.2), abs=5e-3)
    logs = np.log(generate_loads(num_experts=400, num_layers=1, skew=0.5, tokens=10**9).values)
    assert logs.std() == pytest.approx(0.5, rel=0.15)


def test_windows_differ_as_much_as_the_shift_says():
    options = {"num_experts": 400, "num_layers": 2, "num_windows": 3, "skew": 1.0, "tokens": 10**9, "seed": 4}
    steady, shifted = (np.log(generate_loads(**options, shift=shift).values) for shift in (0.0, 0.3))
    assert (steady[0] - steady[1]).std() < 0.02
    # Each layer has one direction, and all layers are as far along it.
    (first, second) = (shifted - shifted.mean(axis=0)).swapaxes(0, 1)
    for deviations in (first, second):
        parts = np.linalg.svd(deviations, compute_uv=False)
        assert parts[1] < 0.1 * parts[0]
    assert first.std(axis=1) == pytest.approx(second.std(axis=1), rel=0.15)
    many = np.log(generate_loads(**options | {"num_windows": 200}, shift=0.3).values)
    assert (many - many.mean(axis=0)).std() == pytest.approx(0.3, rel=0.15)
    assert shifted.mean(axis=0).std() == pytest.approx(1.0, rel=0.15)
    assert "shift 0.3" in generate_loads(**options, shift=0.3).source


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"family": "zipf"}, "family='zipf' is not one of lognormal, rank, dominant, uniform"),
        ({"num_experts": 0}, "experts=0 is not a positive integer"),
        ({"tokens": 0}, "tokens=0 is not a positive integer"),
        ({"skew": -1.0}, r"skew=-1.0 is not in \[0, 100\]"),
        ({"skew": float("nan")}, r"skew=nan is not in \[0, 100\]"),
        ({"shift": -0.5}, r"shift=-0.5 is not in \[0, 100\]"),
        ({"seed": -1}, "seed=-1 is not an integer of at least 0"),
    ],
)
def test_wrong_numbers_are_refused(options, sentence):
    with pytest.raises(InvalidArgumentError, match=sentence):
        generate_loads(**options)
