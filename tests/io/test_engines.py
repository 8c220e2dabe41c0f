import json
from dataclasses import replace

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidPlanError
from eplb_opt.io import read_loads, read_plan, write_loads, write_plan
from eplb_opt.io.recognition import ENGINES
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan

PLAN = Plan(np.array([[0, 1, 2, 0], [2, 1, 0, 2]]), Deployment(2, 4), 3, (3, 5), 7)
BROKEN = Plan(np.array([[0, 0, 1, 2], [1, 1, 1, 1]]), Deployment(2, 4), 3)


def write(path, *rows):
    path.write_text(json.dumps({"physical_to_logical_map": rows}))
    return path


@pytest.mark.parametrize("engine", ["native", "sglang"])
def test_a_written_plan_is_recognised_and_read_back(tmp_path, engine):
    path = tmp_path / "plan.json"
    write_plan(PLAN, path, engine)
    known = {"deployment": PLAN.deployment, "num_experts": 3, "layer_ids": PLAN.layer_ids, "num_model_layers": 7}
    assert read_plan(path, **known) == read_plan(path, engine, **known) == PLAN


def test_a_plan_on_disk_is_for_sglang_unless_said_otherwise(tmp_path):
    write_plan(PLAN, tmp_path / "plan.json")
    assert list(json.loads((tmp_path / "plan.json").read_text())) == ["physical_to_logical_map"]


@pytest.mark.parametrize("engine", ["native", "sglang"])
def test_layer_ids_of_the_caller_replace_those_of_the_plan(tmp_path, engine):
    path = tmp_path / "plan.json"
    counted = replace(PLAN, layer_ids=(), num_model_layers=0)
    write_plan(counted, path, engine, layer_ids=iter([1, 8]))
    plan = read_plan(path, deployment=PLAN.deployment, layer_ids=[1, 8])
    assert np.array_equal(plan.physical_to_logical, PLAN.physical_to_logical)
    assert plan.num_model_layers == 9


def test_layer_ids_of_a_plan_that_has_its_own_are_not_changed(tmp_path):
    ids = list(PLAN.layer_ids)
    write_plan(PLAN, tmp_path / "plan.json", layer_ids=ids)
    with pytest.raises(InvalidArgumentError, match=r"the plan is for layers .* of 7, not for layers"):
        write_plan(PLAN, tmp_path / "plan.json", layer_ids=[id + 1 for id in ids])


@pytest.mark.parametrize("layer_ids", [[], [1], [1, 2, 3], [2, 1], [1, 1], [-1, 0], [0.5, 1], ["a", "b"]])
def test_layer_ids_that_do_not_fit_the_rows_are_refused(tmp_path, layer_ids):
    with pytest.raises(InvalidArgumentError, match="layer ids"):
        write_plan(PLAN, tmp_path / "plan.json", layer_ids=layer_ids)
    assert not list(tmp_path.iterdir())


def test_a_broken_plan_is_not_written(tmp_path):
    with pytest.raises(InvalidPlanError) as info:
        write_plan(BROKEN, tmp_path / "plan.json")
    assert "layer 0: GPU 0 holds expert 0 more than once" in info.value.violations
    assert not list(tmp_path.iterdir())


def test_a_broken_plan_is_refused_by_name_with_every_violation(tmp_path):
    path = write(tmp_path / "plan.json", [0, 0, 1, 2], [1, 1, 1, -1])
    with pytest.raises(InvalidPlanError, match=r"plan\.json is not valid: .* more\)") as info:
        read_plan(path, deployment=Deployment(2, 4))
    assert info.value.violations == (
        "layer 1: slot 3 is empty (-1)",
        "layer 1: expert 0 has no replica",
        "layer 1: expert 2 has no replica",
        "layer 0: GPU 0 holds expert 0 more than once",
        "layer 1: GPU 0 holds expert 1 more than once",
    )
    with pytest.raises(InvalidPlanError, match=r"ids end at 1"):
        read_plan(write(path, [0, 1, 2]), num_experts=2)


def test_a_row_too_few_is_refused_by_name(tmp_path):
    path = write(tmp_path / "x.json", *[[0, 1]] * 60)
    with pytest.raises(InvalidPlanError, match=r"x\.json has 60 rows, the model 61 decoder layers$"):
        read_plan(path, num_model_layers=61)
    assert read_plan(path, num_model_layers=60).num_layers == 60


@pytest.mark.parametrize("text", ["[[0, 1]]", "0,1", '{"format": "other"}', "{}"])
def test_an_unknown_content_lists_the_engines(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(FileFormatError, match=r"x\.json is .* engines: native, sglang"):
        read_plan(tmp_path / "x.json")


def test_another_engine_than_the_content_is_refused(tmp_path):
    write_plan(PLAN, tmp_path / "native.json", "native")
    write_plan(PLAN, tmp_path / "sglang.json", "sglang")
    with pytest.raises(FileFormatError, match=r"native\.json .*'physical_to_logical_map'"):
        read_plan(tmp_path / "native.json", "sglang")
    with pytest.raises(FileFormatError, match=r"sglang\.json has no key 'format'"):
        read_plan(tmp_path / "sglang.json", "native")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("format", ["auto", "csv", "numpy", "sglang"])
def test_a_plan_given_for_loads_is_called_a_plan(tmp_path, engine, format):
    path = tmp_path / f"x{(ENGINES[engine].suffixes or ('.json',))[-1]}"
    write_plan(PLAN, path, engine)
    with pytest.raises(FileFormatError, match=rf"{path.name} is a plan \(engine '{engine}'\) and not loads: give the"):
        read_loads(path, format=format)


@pytest.mark.parametrize(
    ("name", "what"),
    [("x.json", "SGLang logical_count"), ("x.npz", "NumPy array"), ("x.csv", "CSV table")],
)
def test_loads_given_for_a_plan_are_called_loads(tmp_path, name, what):
    write_loads(Loads([[3, 1, 2]]), tmp_path / name)
    with pytest.raises(
        FileFormatError, match=rf"{name} is .* and no plan of a known engine: it reads as loads \({what}\)"
    ):
        read_plan(tmp_path / name)


def test_a_recording_that_names_the_plan_that_ran_is_a_recording(tmp_path):
    content = {"logical_count": [[3, 1, 2]], "physical_to_logical_map": [[0, 1, 2]]}
    (tmp_path / "x.json").write_text(json.dumps(content))
    assert read_loads(tmp_path / "x.json").values.tolist() == [[[3, 1, 2]]]
    with pytest.raises(FileFormatError, match=r"x\.json .* reads as loads"):
        read_plan(tmp_path / "x.json")


def test_unknown_engines_and_numbers_are_sentences(tmp_path):
    with pytest.raises(InvalidArgumentError, match="engine='vlm' is not one of auto, native, sglang"):
        read_plan(tmp_path / "x.json", "vlm")
    with pytest.raises(InvalidArgumentError, match="engine='auto' is not one of native, sglang"):
        write_plan(PLAN, tmp_path / "x.json", "auto")
    for number in ({"num_experts": 0}, {"num_experts": 2.5}, {"num_model_layers": -1}):
        with pytest.raises(InvalidArgumentError, match="is not a positive integer"):
            read_plan(tmp_path / "x.json", **number)


def test_a_name_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "plan.json").mkdir()
    with pytest.raises(FileFormatError, match=r"plan\.json cannot be written: it is a folder"):
        write_plan(PLAN, tmp_path / "plan.json", "native")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
