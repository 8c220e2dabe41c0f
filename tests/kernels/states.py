"""What holds of every state of a node: all that is kept of its table agrees with it."""

import numpy as np


def require_sound(state):
    slots, num_experts = state.slots, len(state.loads)
    counts = np.bincount(slots.ravel(), minlength=num_experts)
    assert np.array_equal(state.counts, counts)
    assert np.array_equal(state.holds, [np.bincount(gpu, minlength=num_experts) for gpu in slots])
    assert np.allclose(state.replica_loads.T, state.loads.T / counts, rtol=1e-15)
    assert np.allclose(state.gpu_loads, state.replica_loads[slots].sum(axis=1))
