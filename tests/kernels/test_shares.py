"""Shares in closed form are those of asking source by source, to the last part."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.kernels.shares import BY_RANK, EVEN, NEAREST, share_out, sources_of
from tests.dispatch import oracle

RULES = {"even": EVEN, "nearest": NEAREST, "by-rank": BY_RANK}


@pytest.mark.parametrize("dispatch", RULES)
@given(
    st.sampled_from([(gpus, nodes) for gpus in range(1, 13) for nodes in range(1, gpus + 1) if gpus % nodes == 0]),
    st.integers(1, 4),
    st.data(),
)
def test_shares_are_those_of_asking_source_by_source(dispatch, shape, size, data):
    gpus, nodes = shape
    places = data.draw(st.sets(st.integers(0, gpus * size - 1), min_size=1, max_size=14).map(sorted))
    deployment = Deployment(gpus, gpus * size, nodes, policy="global", distinct=False, dispatch=dispatch)
    row = [0 if slot in places else 1 for slot in range(gpus * size)]
    sources = range(gpus)
    expected = oracle.shares([[oracle.asked(row, 0, source, deployment) for source in sources]], deployment)
    # More room than replicas, and what was there before does not matter.
    parts = np.full(len(places) + 2, 99, dtype=np.int64)
    share_out(sources_of(RULES[dispatch], deployment), np.array(places), parts)
    assert [Fraction(int(part), gpus * len(places)) for part in parts[: len(places)]] == [
        expected[slot] for slot in places
    ]
    assert parts[len(places) :].tolist() == [99, 99]
