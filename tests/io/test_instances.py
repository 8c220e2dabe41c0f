"""Instances: read as loads, read as a library, refused where they are damaged."""

import gzip
import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidLoadsError
from eplb_opt.io.instances import read_instance, write_instance
from eplb_opt.loads import Loads
from eplb_opt.named_instance import NamedInstance

MODELS = Path(__file__).resolve().parents[2] / "models"
WORST = MODELS / "instances" / "worst-of-3-32x48x48.json"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_library_has_instances_with_the_best_that_is_known(kind):
    library = {named.name: named for named in eplb_opt.read_library(kind(MODELS))}
    assert len(library) == 40 and list(library) == sorted(library)
    named = library["eight-experts"]
    assert (named.deployment, named.objective) == (Deployment(8, 16), "total")
    assert named.optimum == Fraction(590, 3) == named.best.layers[0].lower_bound
    assert eplb_opt.verify(named.best.plan) == []
    (certified,) = eplb_opt.certify(named.best, named.loads)
    assert certified.checked and certified.error is None


def test_the_folder_of_its_instances_names_a_library_too(tmp_path):
    library = eplb_opt.read_library(MODELS)
    assert [named.name for named in eplb_opt.read_library(MODELS / "instances")] == [named.name for named in library]
    for wrong, sentence in (
        (WORST, "is a file; a library is a folder with instances/"),
        (tmp_path, "has no instances/"),
        (tmp_path / "instances", "has no instances/"),
        (None, "None is no path of a folder"),
    ):
        with pytest.raises(FileFormatError, match=sentence):
            eplb_opt.read_library(wrong)


def test_what_stands_in_the_place_of_loads_and_plans_is_told_how_to_give_them():
    named = next(named for named in eplb_opt.read_library(MODELS) if named.name == WORST.stem)
    with pytest.raises(InvalidLoadsError, match=r"a NamedInstance is not loads; give its \.loads"):
        eplb_opt.solve(named, named.deployment)
    for call in (eplb_opt.evaluate, lambda plan, loads: eplb_opt.verify(plan)):
        with pytest.raises(InvalidArgumentError, match=r"a Solution is not a Plan; give its \.plan"):
            call(named.best, named.loads)
    with pytest.raises(InvalidArgumentError, match="read_plan reads one from a file"):
        eplb_opt.evaluate(str(WORST), named.loads)
    for path, kind in ((MODELS, "a folder with"), (MODELS / "proofs.md", "text")):
        with pytest.raises(FileFormatError, match=f"is {kind}.*, not a solution of eplb_opt"):
            eplb_opt.read_solution(path)


def test_what_a_library_has_can_be_compared_at_once():
    named = next(named for named in eplb_opt.read_library(MODELS) if named.name == WORST.stem)
    frame = eplb_opt.compare(named.loads, named.deployment, ["lpt"], objective=named.objective, time_limit=0.3)
    assert frame["lower_bound"].max() <= float(named.best.layers[0].objective) <= frame["objective"].min()


@pytest.mark.parametrize("kind", [str, Path])
def test_an_instance_is_loads_and_its_windows_stay_windows(kind):
    loads = eplb_opt.read_loads(kind(WORST))
    named = read_instance(WORST)
    assert loads.values.shape == (3, 1, 32) and np.array_equal(loads.values, named.loads.values)
    assert loads.labels == named.loads.labels and loads.source == f"{WORST.name} (instance)"
    # Unless it is said how to cut them.
    summed = eplb_opt.read_loads(WORST, window_length=3)
    assert np.array_equal(summed.values[0], loads.values.sum(axis=0))
    both = eplb_opt.read_loads([WORST, WORST], format="instance", experts=32)
    assert both.num_windows == 6


def test_an_instance_is_read_as_gzip_packs_it(tmp_path):
    packed = tmp_path / f"{WORST.name}.gz"
    packed.write_bytes(gzip.compress(WORST.read_bytes()))
    again, named = read_instance(packed), read_instance(WORST)
    assert again.name == named.name and np.array_equal(again.loads.values, named.loads.values)


def test_what_is_no_instance_is_one_sentence(tmp_path):
    for path in (MODELS / "solutions" / WORST.name, MODELS / "windows.md"):
        with pytest.raises(FileFormatError, match=r"is no eplb_opt\.instance file$"):
            read_instance(path)
    with pytest.raises(FileFormatError, match="damaged gzip"):
        (tmp_path / "x.json.gz").write_bytes(b"\x1f\x8bnothing")
        read_instance(tmp_path / "x.json.gz")


def test_an_instance_without_load_is_loads_too():
    assert not eplb_opt.read_loads(MODELS / "instances" / "no-load-16x20x4.json").values.any()


def test_what_is_written_is_read_again(tmp_path):
    deployment = Deployment(4, 12, 2, 2, policy="global", distinct=False, dispatch="nearest")
    named = NamedInstance("mine", Loads(np.arange(16.0).reshape(2, 1, 8)), deployment, "worst", None, ("me",), "here")
    write_instance(named, tmp_path)
    (again,) = eplb_opt.read_library(tmp_path)
    assert again.best is None and np.array_equal(again.loads.values, named.loads.values)
    for key in ("name", "deployment", "objective", "optimum", "proven_by", "source"):
        assert getattr(again, key) == getattr(named, key), key


def test_a_stored_solution_of_another_instance_is_refused(tmp_path):
    for folder in ("instances", "solutions"):
        (tmp_path / folder).mkdir()
    shutil.copy(MODELS / "instances" / "eight-experts.json", tmp_path / "instances")
    shutil.copy(MODELS / "solutions" / WORST.name, tmp_path / "solutions" / "eight-experts.json")
    with pytest.raises(FileFormatError, match="is no solution of eight-experts"):
        eplb_opt.read_library(tmp_path)


DAMAGED = {
    "version": ({"version": 1}, "is version 1 of eplb_opt.instance; known versions: 2"),
    "no loads": ({"loads": None}, "damaged.json: "),
    "negative": ({"loads": [[1, -1, 2, 3]]}, "damaged.json: "),
    "no room": ({"deployment": {"num_gpus": 2, "num_slots": 2}}, "damaged.json: "),
    "no deployment": ({"deployment": {"gpus": 2}}, "damaged.json: "),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_instance_is_one_sentence(tmp_path, case):
    changes, sentence = DAMAGED[case]
    content = json.loads((MODELS / "instances" / "eight-experts.json").read_text()) | changes
    (tmp_path / "damaged.json").write_text(json.dumps(content))
    with pytest.raises(FileFormatError, match=sentence):
        eplb_opt.read_loads(tmp_path / "damaged.json")
