"""Suites: the cases are the listed ones, the same every time, and hard where they should be."""

import shutil
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import eplb_opt
from eplb_opt.bench.instances import checked
from eplb_opt.bench.skewed_groups import EXPERTS_PER_GROUP
from eplb_opt.bench.suite import select, suite
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidDeploymentError
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads
from eplb_opt.io.instances import read_library

MODELS = Path(__file__).resolve().parents[2] / "models"
FAMILIES = ("lognormal 0.5", "lognormal 1", "lognormal 1.5", "rank 1", "rank 1.2", "rank 1.5")
SHAPES = [
    (256, 288, 72),
    (256, 288, 96),
    (256, 288, 144),
    (128, 160, 40),
    (128, 160, 80),
    (64, 96, 32),
    (64, 96, 48),
    (32, 48, 16),
]


def shape(case):
    return case.loads.num_experts, case.deployment.num_slots, case.deployment.num_gpus


@pytest.mark.parametrize("name", ["layers", "models"])
def test_names_are_unique_and_loads_the_same_every_time(name):
    once, again = suite(name), suite(name)
    assert len({case.name for case in once}) == len(once)
    assert [case.name for case in once] == [case.name for case in again]
    assert [case.loads for case in once] == [case.loads for case in again]


@pytest.mark.parametrize("name", ["layers", "models"])
def test_every_deployment_accepts_its_loads(name):
    for case in suite(name):
        assert case.loads.num_windows == 1 and case.origin == "generated"
        assert (case.loads.values.sum(axis=2) == 1_000_000).all()
        case.deployment.require_room_for(case.loads.num_experts)


def test_layers_are_every_family_on_every_shape_and_some_more():
    cases = suite("layers")
    assert all(case.loads.num_layers == 1 for case in cases)
    assert sorted((case.family, shape(case)) for case in cases[:48]) == sorted(product(FAMILIES, SHAPES))
    assert [case.name for case in cases[48:]] == [
        "lognormal-1-256x288x8",
        "rank-1.2-256x288x8",
        "dominant-0.2-128x160x40",
        "skewed-groups-64x80x16-2nodes-4groups",
        "skewed-groups-128x160x32-4nodes-8groups",
    ]


def test_experts_are_in_random_order_and_every_case_has_loads_of_its_own():
    rows = [case.loads.values[0, 0] for case in suite("layers") if case.family.startswith(("lognormal", "rank"))]
    assert len({row.tobytes() for row in rows}) == len(rows)
    assert not any((np.diff(row) <= 0).all() or (np.diff(row) >= 0).all() for row in rows)
    assert len({int(row.argmax()) for row in rows}) > len(rows) / 2


def test_one_expert_needs_most_of_the_spare_slots():
    # A sixth of the load is the even share of 160 / 6 = 26.7 slots, and 32 are spare.
    (case,) = suite("layers", only=["dominant"])
    load = case.loads.values[0, 0]
    assert 26 <= load.max() * 160 / load.sum() <= 28
    assert np.sort(load)[-2] < load.sum() / 100


def test_models_are_the_generated_recording_on_five_deployments():
    cases = suite("models")
    assert all(case.loads == generate_loads(skew=0.8) for case in cases)
    assert [case.name for case in cases] == [
        "lognormal-0.8-256x288x32",
        "lognormal-0.8-256x288x32-4nodes-8groups",
        "lognormal-0.8-256x320x64",
        "lognormal-0.8-256x288x72",
        "lognormal-0.8-256x288x144",
    ]


def test_recordings_get_the_same_deployments(tmp_path):
    loads = generate_loads(num_experts=64, num_layers=3)
    write_loads(loads, tmp_path / "decode.json")
    *generated, first, second, _, _, _ = suite("models", [tmp_path / "decode.json"])
    assert len(generated) == 5
    assert (first.name, first.family, first.origin) == ("decode-64x288x32", "decode", "real")
    assert first.loads == loads
    assert second.name == "decode-64x288x32-4nodes-8groups"


def test_recordings_that_make_no_case_are_refused_by_name(tmp_path):
    loads = tmp_path / "loads.npz"
    write_loads(generate_loads(num_experts=300, num_layers=1), loads)
    with pytest.raises(InvalidDeploymentError, match=r"loads-300x288x32: num_slots=288 cannot hold 300 experts"):
        suite("models", [loads])
    with pytest.raises(FileFormatError, match="nothing"):
        suite("models", ["nothing.json"])
    with pytest.raises(InvalidArgumentError, match="recordings go with 'models'"):
        suite("layers", [loads])
    write_loads(generate_loads(num_experts=64, num_layers=1), loads)
    with pytest.raises(InvalidArgumentError, match="another case loads-64x288x32"):
        suite("models", [loads, loads])
    with pytest.raises(InvalidArgumentError, match="suite='demo' is not one of layers, models, library"):
        suite("demo")


def test_a_library_is_its_instances_with_what_is_known_of_them():
    names = [named.name for named in read_library(MODELS) if "worst-of" in named.name or "eight-" in named.name]
    cases = {case.name: case for case in suite("library", [MODELS], only=["worst-of-*", "eight-experts"])}
    assert list(cases) == names and len(names) > 3
    assert all(case.origin == "library" and case.known is not None for case in cases.values())
    worst = cases["worst-of-4-64x96x32"]
    assert (worst.objective, worst.loads.num_windows, worst.loads.num_layers) == ("worst", 4, 1)
    (layer,) = cases["eight-experts"].known.layers
    assert layer.objective == Fraction(590, 3)


def test_a_library_that_makes_no_suite_is_one_sentence(tmp_path):
    with pytest.raises(InvalidArgumentError, match="suite='library' needs the folder of a library, such as models"):
        suite("library")
    with pytest.raises(FileFormatError, match="has no instances"):
        suite("library", [tmp_path])
    with pytest.raises(InvalidArgumentError, match=r"another case dominant-.*; give a library once"):
        suite("library", [MODELS, MODELS])
    shutil.copytree(MODELS / "instances", tmp_path / "instances")
    (tmp_path / "solutions").mkdir()
    stored = (MODELS / "solutions" / "eight-experts.json").read_text()
    # 196 2/3 tokens are now 196 1/3, of the same plan.
    (tmp_path / "solutions" / "eight-experts.json").write_text(stored.replace("590/3", "589/3"))
    with pytest.raises(FileFormatError, match=r"eight-experts.json.*'objective' is .*589/3.*, which follows"):
        suite("library", [tmp_path])


def test_only_what_is_known_of_wanted_cases_is_checked(monkeypatch):
    seen = []

    def watched(named, known):
        seen.append(named.name)
        return checked(named, known)

    monkeypatch.setattr("eplb_opt.bench.suite.checked", watched)
    suite("library", [MODELS], only=["four-experts-*"])
    assert seen == ["four-experts-copies", "four-experts-distinct"]


def test_cases_are_selected_by_part_of_a_name_or_by_pattern():
    cases = suite("layers")
    assert select(cases, []) == cases
    assert len(select(cases, ["32x48x16"])) == 6
    assert len(select(cases, ["rank-1-*", "lognormal-1-256x288x72"])) == 9
    with pytest.raises(InvalidArgumentError, match="only='magic' is in no name of a case; names are like lognormal"):
        select(cases, ["rank", "magic"])


@pytest.mark.parametrize("nodes", [2, 4])
def test_the_best_partition_of_skewed_groups_is_not_the_one_by_sums(nodes):
    (case,) = suite("layers", only=[f"skewed-groups-*-{nodes}nodes-*"])
    deployment = case.deployment
    assert (deployment.gpus_per_node, deployment.slots_per_gpu, deployment.groups_per_node) == (8, 5, 2)
    groups = case.loads.values[0, 0].reshape(deployment.num_groups, EXPERTS_PER_GROUP)
    hot = groups.max(axis=1) > groups.sum(axis=1) / 2
    partitions = sorted(pairings(range(len(groups))), key=lambda pairs: max(groups[list(p)].sum() for p in pairs))
    by_sums = max(least_with_two_hot(*groups[list(pair)]) for pair in partitions[0] if hot[list(pair)].all())
    separate = next(pairs for pairs in partitions if not any(hot[list(pair)].all() for pair in pairs))
    # Given the partition, each node is a deployment of its own: 32 experts in 40 slots on 8 GPUs.
    nodes_alone = [groups[list(pair)].reshape(1, -1) for pair in separate]
    found = [eplb_opt.solve(node, Deployment(8, 40), method="search", time_limit=2.0) for node in nodes_alone]
    assert max(solution.layers[0].objective for solution in found) < by_sums * Fraction(19, 20)


def pairings(members):
    """Every way to make pairs of them."""
    first, *others = members
    if len(others) == 1:
        return [[(first, *others)]]
    return [[(first, one), *rest] for one in others for rest in pairings([o for o in others if o != one])]


def least_with_two_hot(one, two):
    """A bound on the max load of a node of 8 GPUs x 5 slots with these groups, each with one hot expert.

    With a and b replicas, a + b <= 10 as the 30 cold experts need a slot each. Either some GPU has both hot experts,
    always so if a + b > 8, or one set of a GPUs has the first and another of b GPUs the second. Then what is not on
    the a GPUs is b hot replicas and 40 - 5 a - b cold ones, at most as heavy as the heaviest cold expert; the mean of
    the a GPUs, with all else, is below their largest load. The same for the b GPUs.
    """
    hot = [Fraction(int(group.max())) for group in (one, two)]
    cold = np.concatenate([np.sort(group)[:-1] for group in (one, two)])
    total, heaviest = int(cold.sum()), int(cold.max())
    bounds = []
    for counts in product(range(1, 9), repeat=2):
        if sum(counts) > 10:
            continue
        both = sum(load / count for load, count in zip(hot, counts, strict=True))
        apart = max(
            (load + total - (40 - 4 * count - sum(counts)) * heaviest) / count
            for load, count in zip(hot, counts, strict=True)
        )
        bounds.append(both if sum(counts) > 8 else min(both, apart))
    return min(bounds)
