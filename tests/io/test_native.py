import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError, FileFormatError, InvalidDeploymentError, InvalidPlanError
from eplb_opt.io import read_plan, read_solution, write_solution
from eplb_opt.io.content import parse_content
from eplb_opt.io.mappings import Given
from eplb_opt.io.native import format_plan, parse_plan, parse_solution
from eplb_opt.layer_solution import LayerSolution, TracePoint
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof
from eplb_opt.solution import Solution, format_solution
from tests.io.nouns import plans, solutions

PLAN = Plan(np.array([[0, 1, 2, 0], [2, 1, 0, 2]]), Deployment(2, 4), 3, (3, 5), 7)
LAYER = LayerSolution(
    layer_id=3,
    objective=Fraction(590, 3),
    max_load=Fraction(590, 3),
    mean_load=Fraction(180),
    proof=Proof("mean", Fraction(180), checked=True),
    stopped_by="time",
    trace=(TracePoint(0.5, Fraction(200), Fraction(180), "greedy"),),
    work={"start": 0.5, "search": 1.0},
)
SOLUTION = Solution(PLAN.select([3]), (LAYER,), "total", 2.5)


def content(text):
    return parse_content(text.encode(), "x.json")


def changed(text, **changes):
    """The text with some keys replaced; a key ``a__b`` is ``b`` in ``a``, in its first element if it is a list."""
    values = json.loads(text)
    for key, value in changes.items():
        place = values
        *way, last = key.split("__")
        for step in way:
            place = place[step][0] if isinstance(place[step], list) else place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return content(json.dumps(values))


BOUND = {"exact": "180", "float": 180.0}


def test_a_bound_without_a_certificate_is_the_word_of_the_file():
    proof = {"argument": "magic", "bound": BOUND, "checked": True, "evidence": None}
    (layer,) = parse_solution(changed(format_solution(SOLUTION), layers__proof=proof)).layers
    assert not layer.proof.checked


def test_by_whom_a_bound_is_claimed_is_kept():
    proof = Proof("pairing", Fraction(180), checked=False, by="cpsat")
    claimed = replace(SOLUTION, layers=(replace(LAYER, proof=proof),))
    values = json.loads(format_solution(claimed))["layers"][0]["proof"]
    assert (values["argument"], values["by"], values["checked"], values["evidence"]) == (
        "pairing",
        "cpsat",
        False,
        None,
    )
    (layer,) = parse_solution(content(format_solution(claimed))).layers
    assert layer.proof == proof


@pytest.mark.parametrize(
    ("sentence", "argument", "by"),
    [
        ("pairing by cpsat", "pairing", "cpsat"),
        ("fillings by search", "fillings", "search"),
        ("program by pulp:HiGHS", "program", "pulp:HiGHS"),
        # Version 0.2.0 named CP-SAT whoever left a node open.
        ("partition by cpsat", "partition", "cpsat or search"),
        ("partition", "partition", ""),
        ("mean", "mean", ""),
    ],
)
def test_files_of_0_2_0_have_argument_and_by_in_a_sentence(sentence, argument, by):
    proof = {"argument": sentence, "bound": {"exact": "180", "float": 180.0}, "checked": False, "evidence": None}
    (layer,) = parse_solution(changed(format_solution(SOLUTION), layers__proof=proof)).layers
    assert (layer.proof.argument, layer.proof.by) == (argument, by)


def test_what_rests_on_a_word_has_no_certificate():
    proof = {"argument": "nodes", "by": "cpsat", "bound": BOUND, "checked": True, "evidence": None}
    (layer,) = parse_solution(changed(format_solution(SOLUTION), layers__proof=proof)).layers
    assert (layer.proof.certified, layer.proof.checked) == (None, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"layers__lower_bound": {"exact": "99999", "float": 99999.0}},
        {"layers__lower_bound__float": 181.0},
        {"layers__objective__float": 1.0},
        {"layers__gap": {"exact": "1/2", "float": 0.5}},
        {"layers__status": "optimal"},
    ],
)
def test_values_that_contradict_those_they_follow_from_are_refused(changes):
    (key,) = changes
    with pytest.raises(FileFormatError, match=f"{key.split('__')[1]!r} is .*, which follows from other values to be"):
        parse_solution(changed(format_solution(SOLUTION), **changes))


@given(plans())
def test_a_plan_reads_back_exactly(plan):
    assert parse_plan(content(format_plan(plan, "x.json")), Given()) == plan


@given(solutions())
def test_a_solution_reads_back_exactly_and_holds_its_plan(solution):
    text = format_solution(solution)
    assert parse_solution(content(text)) == solution
    assert parse_plan(content(text), Given()) == solution.plan


def test_a_saved_solution_is_read(tmp_path):
    SOLUTION.save(tmp_path / "solution.json")
    assert read_solution(tmp_path / "solution.json") == SOLUTION
    assert read_plan(tmp_path / "solution.json") == SOLUTION.plan


def test_every_exact_number_is_written_as_text_and_as_a_float():
    layer = json.loads(format_solution(SOLUTION))["layers"][0]
    assert layer["objective"] == {"exact": "590/3", "float": 590 / 3}
    assert layer["lower_bound"] == layer["proof"]["bound"] == {"exact": "180", "float": 180.0}
    assert layer["gap"]["exact"] == "5/59"  # (590/3 - 540/3) / (590/3)
    assert layer["status"] == "feasible"
    assert layer["trace"][0]["source"] == "greedy"


def test_a_plan_file_says_everything_about_its_plan():
    assert json.loads(format_plan(PLAN, "x.json")) == {
        "format": "eplb_opt.plan",
        "version": 1,
        "deployment": {
            "num_gpus": 2,
            "num_slots": 4,
            "num_nodes": 1,
            "num_groups": 1,
            "policy": "auto",
            "distinct": True,
            "dispatch": "even",
        },
        "num_experts": 3,
        "numbering": "decoder",
        "num_model_layers": 7,
        "moe_layer_ids": [3, 5],
        "layer_ids": [3, 5],
        "physical_to_logical": [[0, 1, 2, 0], [2, 1, 0, 2]],
    }


def test_a_given_deployment_replaces_the_written_one():
    wide = Deployment(4, 4)
    assert parse_plan(content(format_plan(PLAN, "x.json")), Given(wide)).deployment == wide


def test_given_layers_are_selected():
    assert parse_plan(content(format_plan(PLAN, "x.json")), Given(layer_ids=(5,))) == PLAN.select([5])


@pytest.mark.parametrize(
    ("known", "says"),
    [
        (Given(Deployment(2, 6)), "the plan has 4 slots, the deployment num_slots=6"),
        (Given(num_experts=4), "has 3 experts, not num_experts=4"),
        (Given(num_model_layers=8), "is for 7 decoder layers, the model has 8"),
        (Given(layer_ids=(4,)), "has no layer 4"),
    ],
)
def test_what_contradicts_the_file_is_refused(known, says):
    with pytest.raises(InvalidPlanError, match=says) as info:
        parse_plan(content(format_plan(PLAN, "x.json")), known)
    assert str(info.value).startswith("x.json")


BAD_PLANS = [
    ({"format": None}, FileFormatError, "x.json has no key 'format'"),
    ({"format": "other"}, FileFormatError, "'format' is 'other', not one of eplb_opt.plan, eplb_opt.solution"),
    ({"version": None}, FileFormatError, "x.json has no key 'version'"),
    ({"version": 2}, FileFormatError, "x.json is version 2 of eplb_opt.plan; known versions: 1"),
    ({"version": "1"}, FileFormatError, "'version' is '1', not int"),
    ({"deployment": None}, FileFormatError, "no key 'deployment'"),
    ({"deployment": []}, FileFormatError, r"'deployment' is \[\], not an object"),
    ({"deployment__num_gpus": None}, FileFormatError, "'deployment' has no key 'num_gpus'"),
    ({"deployment__num_gpus": 2.0}, FileFormatError, r"'num_gpus' is 2\.0, not int"),
    ({"deployment__num_gpus": 3}, InvalidDeploymentError, "x.json, 'deployment': num_slots=4 is not a multiple"),
    ({"deployment__policy": "best"}, FileFormatError, "'policy' is 'best', not one of auto"),
    ({"deployment__distinct": 1}, FileFormatError, "'distinct' is 1, not bool"),
    ({"deployment__num_slots": 8}, InvalidPlanError, "has 4 slots, the deployment num_slots=8"),
    ({"num_experts": "3"}, FileFormatError, "'num_experts' is '3', not int"),
    ({"num_experts": 10**12}, InvalidPlanError, "4 slots, too few for num_experts=1000000000000"),
    ({"num_experts": 0}, InvalidPlanError, "num_experts=0"),
    ({"num_model_layers": 5}, InvalidPlanError, "num_model_layers=5 leaves no room for layer 5"),
    ({"num_model_layers": 0}, FileFormatError, "num_model_layers=0"),
    ({"numbering": None}, FileFormatError, "x.json has no key 'numbering'"),
    ({"moe_layer_ids": 3}, FileFormatError, "'moe_layer_ids' is 3, not list"),
    ({"layer_ids": []}, FileFormatError, "0 layer ids"),
    ({"layer_ids": [3]}, InvalidPlanError, "1 layer ids for 2 layers"),
    ({"layer_ids": [3, 4.5]}, InvalidPlanError, "layer ids are not integers"),
    ({"layer_ids": [5, 3]}, InvalidPlanError, "not increasing"),
    ({"physical_to_logical": [[0, 1, 2, 0], [2, 1]]}, InvalidPlanError, "layer row 1 has 2 slots"),
    ({"physical_to_logical": [[0, 1, 2, 0.5]]}, InvalidPlanError, r"layer row 0, slot 3 holds 0\.5"),
    ({"physical_to_logical": {}}, FileFormatError, "'physical_to_logical' is {}, not list"),
]


@pytest.mark.parametrize(("changes", "error", "says"), BAD_PLANS)
def test_a_file_that_is_no_plan_is_refused_by_name(changes, error, says):
    with pytest.raises(error, match=says) as info:
        parse_plan(changed(format_plan(PLAN, "x.json"), **changes), Given())
    assert str(info.value).startswith("x.json")
    assert "\n" not in str(info.value)


BAD_SOLUTIONS = [
    ({"format": "eplb_opt.plan"}, "'format' is 'eplb_opt.plan', not one of eplb_opt.solution"),
    ({"version": 9}, "version 9 of eplb_opt.solution"),
    ({"plan__version": 9}, "'plan' is version 9 of eplb_opt.plan"),
    ({"objective": "best"}, "'objective' is 'best', not one of total, mean, worst"),
    ({"runtime": -1}, "'runtime' is -1"),
    ({"window_weights": None}, "x.json has no key 'window_weights'"),
    ({"layers__work": None}, "'layers' 0 has no key 'work'"),
    ({"layers__proof__evidence": "mean"}, "'evidence' is 'mean', not dict"),
    ({"layers": []}, r"'layers' are \[\], the plan's \[3\]"),
    ({"layers__layer_id": 4}, r"'layers' are \[4\], the plan's \[3\]"),
    ({"layers__objective": 5}, "'layers' 0, 'objective' is 5, not an object"),
    ({"layers__objective__exact": "1/0"}, "'layers' 0: 'objective' is .* not an exact number"),
    ({"layers__objective__exact": "1"}, "'layers' 0: the bound 180 is above the objective 1"),
    ({"layers__stopped_by": "boredom"}, "'stopped_by' is 'boredom', not one of None, gap, time"),
    ({"layers__proof__by": None, "layers__proof__argument": 1}, "'proof': 'argument' is 1, not str"),
    ({"layers__proof__by": ["cpsat"]}, r"'proof': 'by' is \['cpsat'\], not str"),
    ({"layers__proof__checked": "yes"}, "'proof': 'checked' is 'yes', not bool"),
    ({"layers__work__search": -1}, "'work': 'search' is -1, not a number of seconds"),
    ({"layers__trace__source": 1}, "'trace' 0: 'source' is 1, not str"),
]


@pytest.mark.parametrize(("changes", "says"), BAD_SOLUTIONS)
def test_a_file_that_is_no_solution_is_refused_by_name(changes, says):
    with pytest.raises(FileFormatError, match=says) as info:
        parse_solution(changed(format_solution(SOLUTION), **changes))
    assert str(info.value).startswith("x.json")
    assert "\n" not in str(info.value)


def test_a_solution_of_a_broken_plan_is_refused_with_its_violations():
    broken = changed(format_solution(SOLUTION), plan__physical_to_logical=[[0, 0, 0, 1]])
    with pytest.raises(InvalidPlanError, match=r"x\.json is not valid") as info:
        parse_solution(broken)
    assert "layer 3: expert 2 has no replica" in info.value.violations


def test_no_folder_is_made_for_a_solution(tmp_path):
    with pytest.raises(EplbOptError, match="cannot be written"):
        write_solution(SOLUTION, tmp_path / "absent" / "solution.json")
    assert not list(tmp_path.iterdir())
