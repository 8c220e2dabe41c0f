"""CountSearch: better plans of layers with two slots per GPU, the same ones whenever the work is the same."""

import numpy as np
from hypothesis import given

from eplb_opt.deployment import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.count_search import CountSearch
from eplb_opt.heuristics.pipeline import greedy, search
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.proof import Proof
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.oracle import brute_force
from tests.strategies import instances


def searched(instance, work, start=None, bound=None):
    incumbent = Incumbent(instance)
    incumbent.offer_proof(Proof("mean", instance.mean_loads[0] if bound is None else bound, checked=True))
    incumbent.offer_plan(greedy(instance) if start is None else start, "start")
    CountSearch(incumbent, 0).run(Meter(Limits(600.0, work=work)))
    return incumbent


@examples(30)
@given(instances(slots_per_gpu=2, hierarchical=False, max_experts=6, max_gpus=5, max_slots=10))
def test_tiny_layers_end_at_an_optimum_of_their_own_or_above_it(instance):
    optimum = brute_force(instance)
    incumbent = searched(instance, 0.2, bound=optimum)
    assert incumbent.value >= optimum


def test_many_counts_end_nearer_to_the_mean_than_by_annealing():
    loads = generate_loads(num_experts=128, num_layers=1, skew=1, seed=1).values[0, 0]
    instance = Instance.from_loads(loads, Deployment(128, 256))
    annealed = search(instance, greedy(instance), work=75_000_000)
    mean = instance.mean_loads[0]
    assert searched(instance, 1.0, annealed).value - mean < (max_loads(annealed.tolist(), instance)[0] - mean) / 2


def test_the_same_work_gives_the_same_plan():
    loads = generate_loads(num_experts=32, num_layers=1, skew=1, seed=3).values[0, 0]
    instance = Instance.from_loads(loads, Deployment(32, 64))
    first, second = (searched(instance, 0.3).slots for _ in range(2))
    assert np.array_equal(first, second)
