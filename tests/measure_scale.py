"""What each part of planning costs as one size doubles: `python -m tests.measure_scale --vary experts`.

Prints a table of milliseconds, one row for each part, and the exponent with which it grows; and the memory.
"""

import argparse
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import eplb_opt
from eplb_opt import Deployment, Instance, Loads
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.io import write_loads
from eplb_opt.objective import Objective
from eplb_opt.report import make_report
from eplb_opt.run.loading import load_kernels
from eplb_opt.run.steps import search_on, start
from eplb_opt.verify import max_loads, objective_value


@dataclass(frozen=True)
class Size:
    """What is planned."""

    experts: int = 256
    gpus: int = 64
    slots: int = 5
    layers: int = 8
    windows: int = 1
    nodes: int = 1
    groups: int = 1

    @property
    def deployment(self) -> Deployment:
        return Deployment(self.gpus, self.gpus * self.slots, self.nodes, self.groups)

    @property
    def loads(self) -> Loads:
        options = {"num_experts": self.experts, "num_layers": self.layers, "num_windows": self.windows}
        loads = generate_loads(**options, skew=0.8, shift=0.3 if self.windows > 1 else 0.0)
        # Recorded windows have totals of their own.
        noise = np.random.default_rng(0).integers(0, 100, loads.values.shape) if self.windows > 1 else 0
        return Loads(loads.values + noise)


SERIES = {
    "experts": [Size(experts=n, gpus=64, slots=20) for n in (128, 256, 512, 1024)],
    "gpus": [Size(experts=256, gpus=n) for n in (64, 128, 256, 512, 1024)],
    "slots": [Size(experts=256, slots=n) for n in (5, 10, 20, 40)],
    "layers": [Size(layers=n) for n in (60, 120, 240, 480)],
    "windows": [Size(layers=2, windows=n) for n in (50, 100, 200, 400)],
    "nodes": [Size(experts=1024, gpus=8 * n, slots=8, nodes=n, groups=n) for n in (16, 32, 64, 128)],
    "kimi-k3": [Size(experts=896, gpus=256, slots=n, layers=92) for n in (4, 5)],
}


class Stopwatch:
    """Milliseconds by the name of a part."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.parts[name] = 1e3 * (time.perf_counter() - begin)

    def often(self, name: str, function: Callable[[], object], times: int = 3) -> None:
        """The median of some calls."""
        seconds = []
        for _ in range(times):
            begin = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - begin)
        self.parts[name] = 1e3 * statistics.median(seconds)


def measure(size: Size, folder: Path, closing: float) -> dict[str, float]:
    """Milliseconds of each part, all layers unless the name says otherwise, and megabytes."""
    watch, loads, deployment = Stopwatch(), size.loads, size.deployment
    file = folder / "loads.json"
    write_loads(loads, file)
    with watch.part("read"):
        eplb_opt.read_loads(file)
    columns = [loads.values[:, layer] for layer in range(size.layers)]
    with watch.part("instances"):
        instances = [Instance.from_loads(values, deployment) for values in columns]
    one = instances[0].total()
    watch.often("instant bounds, a layer", lambda: start_bounds(instances[0]))
    watch.often("greedy, a layer", lambda: greedy(one))
    watch.often("first step, a layer", lambda: start(one, Objective(), "auto", more=True), 1)
    row = greedy(one)
    watch.often("search step, a layer", lambda: search_on(one, row, one.mean_loads[0], 1), 1)
    watch.often("value, a layer", lambda: value(row.tolist(), instances[0]))
    with watch.part("solve, greedy"):
        solution = eplb_opt.solve(loads, deployment, method="greedy")
    with watch.part("verify"):
        assert eplb_opt.verify(solution.plan) == []
    with watch.part("evaluate"):
        eplb_opt.evaluate(solution.plan, loads)
    with watch.part("write plan"):
        eplb_opt.write_plan(solution.plan, folder / "plan.json", engine="sglang")
    with watch.part("save solution"):
        solution.save(folder / "solution.json")
    with watch.part("report"):
        make_report(loads, deployment, solution=solution, time_limit=0.1).to_html()
    if closing:
        with watch.part(f"solve, {closing:g} s"):
            closed = eplb_opt.solve(loads, deployment, time_limit=closing)
        watch.parts["gap left, ppm"] = 1e6 * float(closed.gap)
    tracemalloc.start()
    eplb_opt.read_loads(file)
    watch.parts["MB to read"] = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    watch.parts["MB at the peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return watch.parts


def start_bounds(instance: Instance) -> object:
    from eplb_opt.bounds.quick import quick_bounds

    return quick_bounds(instance) if instance.num_windows == 1 else window_bounds(instance, "mean")


def value(slots: list[int], instance: Instance) -> object:
    return max_loads(slots, instance) if instance.num_windows == 1 else objective_value(slots, instance, "mean")


def milliseconds_to_import() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import eplb_opt"], check=True)
    return 1e3 * (time.perf_counter() - begin)


def exponent(costs: list[float], ratio: float) -> float:
    """Of the power that the last costs grow with; the first are mostly what any call costs."""
    if len(costs) < 2 or min(costs[-2:]) <= 0:
        return math.nan
    return math.log(costs[-1] / costs[-2]) / math.log(ratio)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vary", choices=[*SERIES, "all"], default="all")
    parser.add_argument("--closing", type=float, default=0.0, help="also solve with this time limit, in seconds")
    arguments = parser.parse_args()
    print(f"import: {milliseconds_to_import():.0f} ms; kernels, compiled before: ", end="")
    print(f"{1e3 * load_kernels():.0f} ms")
    measure(replace(Size(), layers=1, windows=2), Path(tempfile.mkdtemp()), 0.0)
    for name, sizes in SERIES.items():
        if arguments.vary not in (name, "all"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            columns = [measure(size, Path(folder), arguments.closing) for size in sizes]
        varied = name if hasattr(sizes[0], name) else "slots"
        numbers = [getattr(size, varied) for size in sizes]
        print(f"\n{sizes[0]}\n\n| {varied} | {' | '.join(map(str, numbers))} | exponent |")
        print("| --- |" + " ---: |" * (len(sizes) + 1))
        for part in columns[0]:
            costs = [column[part] for column in columns]
            grows = exponent(costs, numbers[-1] / numbers[-2])
            print(f"| {part} | {' | '.join(f'{cost:,.4g}' for cost in costs)} | {grows:.1f} |")


if __name__ == "__main__":
    main()
