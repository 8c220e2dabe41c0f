"""Names and functions as one noun: each method once and with a name of its own, anything else refused."""

import functools

import numpy as np
import pytest
import torch

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.methods import methods_of
from eplb_opt.own_method import OwnMethod

LOADS = np.random.default_rng(0).lognormal(6, 1, (3, 4, 32)).astype(int)
DEPLOYMENT = Deployment(8, 40)


def in_order(weight, num_replicas, *_):
    """Experts in order, then again from the first."""
    return torch.arange(num_replicas).remainder(weight.shape[1]).repeat(len(weight), 1)


class Ruler:
    def __call__(self, *given):
        return in_order(*given)


def test_every_method_has_a_name_of_its_own():
    def lpt(*given):
        return in_order(*given)

    first, second = (lambda *given: in_order(*given) for _ in range(2))
    given = ["lpt", lpt, lpt, first, second, "lpt", functools.partial(in_order), Ruler(), OwnMethod("mine", lpt)]
    found = methods_of(given, ["lpt", "snake"])
    assert list(map(str, found)) == ["lpt", "lpt 2", "lambda", "lambda 2", "in_order", "Ruler"]
    assert methods_of(None, ["lpt", "snake"]) == ("lpt", "snake")


@pytest.mark.parametrize(
    ("methods", "sentence"),
    [
        ("lpt", "methods='lpt' is no list"),
        (in_order, "is no list"),
        ([3], "method=3 is neither a name nor a function"),
        (["magic"], "method='magic' is not one of lpt"),
    ],
)
def test_what_is_no_method_is_refused_before_anything_runs(methods, sentence):
    with pytest.raises(InvalidArgumentError, match=sentence):
        eplb_opt.compare(LOADS, DEPLOYMENT, methods)
    if methods != "lpt":
        with pytest.raises(InvalidArgumentError, match=sentence):
            eplb_opt.backtest(LOADS, DEPLOYMENT, methods=methods)
