"""The steps of a layer of several windows: pure functions of picklable values, for any executor."""

from __future__ import annotations

from time import monotonic

from eplb_opt.aim import Aim, Outlook
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.joint import joint_greedy
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.heuristics.window_search import Leg, Slots, annealed, repartitioned
from eplb_opt.instance import Instance
from eplb_opt.steps import Finding, Findings, instant_bound


def load_window_kernels() -> float:
    """Compile the kernels for several windows, or load them; the seconds it took."""
    begin = monotonic()
    instance = Instance.from_loads([[3, 2, 1, 1], [1, 2, 3, 1]], Deployment(num_gpus=4, num_slots=8))
    aim = Aim("mean")
    start_on_windows(instance, aim, aim.outlook(instance))
    leg = Leg(greedy(instance.total()), hot=1.0, cold=0.1, proposals=100, seed=0)
    anneal_on(instance, aim.outlook(instance), leg)
    repartition_on(instance, aim.outlook(instance), leg.slots, 0.1, 100, 0)
    return monotonic() - begin


def start_on_windows(instance: Instance, aim: Aim, outlook: Outlook) -> Findings:
    """Instant bounds, greedy plans of the summed and of the mean window, and the joint greedy plan."""
    begin = monotonic()
    items = [instant_bound(instance, aim, begin)]
    mean = Instance.from_loads(outlook.mean, instance.deployment)
    items.append(Finding("greedy", slots=greedy(instance.total()), seconds=monotonic() - begin))
    items.append(Finding("greedy on the mean", slots=greedy(mean), seconds=monotonic() - begin))
    items.append(Finding("joint greedy", slots=joint_greedy(instance, outlook), seconds=monotonic() - begin))
    return Findings("start", tuple(items), monotonic() - begin)


def anneal_on(instance: Instance, outlook: Outlook, leg: Leg) -> Findings:
    """The best plan of one leg, and the one where it ends."""
    begin = monotonic()
    best, last = annealed(instance, outlook, leg)
    seconds = monotonic() - begin
    return Findings("search", (Finding("search", slots=best, seconds=seconds),), seconds, last=last)


def repartition_on(instance: Instance, outlook: Outlook, slots: Slots, above: float, nodes: int, seed: int) -> Findings:
    """The best plan of some rounds of repartition, see `repartitioned`."""
    begin = monotonic()
    found = repartitioned(instance, outlook, slots, above, nodes, seed)
    seconds = monotonic() - begin
    return Findings("repartition", (Finding("repartition", slots=found, seconds=seconds),), seconds)
