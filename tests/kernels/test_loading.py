"""Loading: whoever waits for the compiler is told so, and nobody else."""

import logging
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from eplb_opt.alarm import alarm
from eplb_opt.kernels import loading
from eplb_opt.kernels.reassignment import reassign
from eplb_opt.run.loading import load_kernels, shared_out
from eplb_opt.run.parts import PARTS, SECONDS


def test_compiling_is_told_and_slow_loading_is_not(monkeypatch, caplog):
    monkeypatch.setattr(loading, "alarm", lambda seconds, *call: alarm(seconds / 40, *call))
    with caplog.at_level(logging.WARNING):
        with loading.announced() as nothing:
            sleep(0.2)
        assert (nothing.kernels, caplog.messages) == (0, [])
        with loading.announced() as short:
            loading.begin_compiling("once per machine")
        sleep(0.2)
        assert (short.kernels, caplog.messages) == (1, [])
        with loading.announced() as long:
            loading.begin_compiling("once per machine")
            loading.begin_compiling("once per machine")
            sleep(0.5)
    assert long.kernels == 2
    words = "compiling kernels, which takes some 10 seconds on two idle cores, 30 on slow ones, and happens once"
    assert caplog.messages == [f"{words} per machine"]


def test_kernels_that_are_loaded_again_look_at_next_to_nothing(monkeypatch):
    # What is loaded is there: a call of solve with a short limit has better things to do.
    spent = []

    def counted(state, target, budget, random):
        before = budget[0]
        reassign(state, target, budget, random)
        spent.append(before - budget[0])

    monkeypatch.setattr("eplb_opt.run.parts.reassign", counted)
    load_kernels()
    # A search of a tenth of a second looks at millions of pairs of slots.
    assert 0 < sum(spent) < 100_000


_KERNELS_OF_PROOFS = """
import sys
from fractions import Fraction
from eplb_opt import Deployment
from eplb_opt.limits import Limits, Meter
from eplb_opt.bounds.prove import prove
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.kernels.callees import Kernel
from eplb_opt.run.loading import load_kernels, parts_for, proof_parts

def known():
    kernels = {name: item for module in list(sys.modules.values()) if module.__name__.startswith("eplb_opt.")
               for name, item in vars(module).items() if isinstance(item, Kernel)}
    return {(name, signature) for name, kernel in kernels.items() for signature in kernel.signatures}

new = set()
for experts, deployment in ((32, Deployment(20, 40)), (24, Deployment(12, 36)), (32, Deployment(8, 40, 4, 8))):
    load_kernels([*parts_for(deployment, experts, False, "auto"), *proof_parts(deployment, experts)])
    before = known()
    assert before
    loads = generate_loads(num_experts=experts, num_layers=1, skew=1.2).values[0, 0]
    instance = Instance.from_loads(loads, deployment)
    meter = Meter(Limits(60.0, work=0.5))
    incumbent = Incumbent(instance)
    incumbent.offer_plan(greedy(instance), "greedy")
    prove(incumbent, meter)
    new |= known() - before
print({name for name, _ in new})
"""


def test_workers_have_nothing_to_compile_that_the_call_has_not_loaded():
    run = subprocess.run([sys.executable, "-c", _KERNELS_OF_PROOFS], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_ctrl_c_is_raised_before_the_next_kernel_or_at_the_end():
    reached = []
    with pytest.raises(KeyboardInterrupt), loading.interrupted_between_kernels():
        loading.raise_if_interrupted()
        signal.raise_signal(signal.SIGINT)
        reached.append("the rest of a kernel")
        loading.raise_if_interrupted()
        reached.append("the next kernel")
    assert reached == ["the rest of a kernel"]
    with pytest.raises(KeyboardInterrupt), loading.interrupted_between_kernels():
        signal.raise_signal(signal.SIGINT)
    loading.raise_if_interrupted()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_the_main_thread_is_not_raised_where_another_one_loads_kernels():
    with pytest.raises(KeyboardInterrupt), loading.interrupted_between_kernels(), ThreadPoolExecutor(1) as thread:
        signal.raise_signal(signal.SIGINT)
        assert thread.submit(loading.raise_if_interrupted).exception() is None


def test_two_processes_share_parts_out_so_that_neither_waits_long_for_the_other():
    for parts in (["greedy", "registry", "search", "reassignment", "bounds"], list(PARTS)):
        ours, others = shared_out(parts)
        assert sorted(ours + others) == sorted(parts)
        seconds = [sum(SECONDS[part] for part in some) for some in (ours, others)]
        assert abs(seconds[0] - seconds[1]) <= max(SECONDS[part] for part in parts)
    assert shared_out(["bounds"]) == (["bounds"], [])
