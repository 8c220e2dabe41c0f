"""models/: the files are what the formulation gives today, and a second solver agrees with the stated optima."""

import re
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import highspy
import numpy as np
import pytest

from eplb_opt.bench.instances import checked, greedy_value, has_program
from eplb_opt.bench.recipes import recipes
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError
from eplb_opt.formulations.moves import assignment_with_moves
from eplb_opt.formulations.split import split_assignment
from eplb_opt.instance import Instance
from eplb_opt.io.instances import read_instance, read_library
from eplb_opt.library import mps_of, program_of, rebuild
from eplb_opt.loads import Loads
from tests.oracle import brute_force
from tests.programs import answer

MODELS = Path(__file__).resolve().parents[1] / "models"
LIBRARY = read_library(MODELS)
NAMES = [named.name for named in LIBRARY if has_program(named)]
OPTIMA = dict(re.findall(r"^=opt= (\S+) (\d+)$", (MODELS / "optima.solu").read_text(), re.MULTILINE))


def test_there_are_instances_and_the_small_ones_have_programs():
    assert len(LIBRARY) >= 40
    assert {path.name for path in MODELS.glob("*.mps")} == {f"{name}.assignment.mps" for name in NAMES}
    assert {f"{name}.assignment" for name in NAMES} <= set(OPTIMA)


def test_pages_and_optima_follow_from_the_files(tmp_path):
    shutil.copytree(MODELS, tmp_path / "models")
    rebuild(tmp_path / "models")
    for name in ("optima.solu", "instances.md"):
        assert (tmp_path / "models" / name).read_text() == (MODELS / name).read_text()


def test_recipes_make_the_loads_that_are_stored():
    stored = {named.name: named for named in LIBRARY}
    for named in recipes():
        known = stored[named.name]
        assert np.array_equal(named.loads.values, known.loads.values)
        assert (named.deployment, named.objective, named.source) == (known.deployment, known.objective, known.source)


@pytest.mark.parametrize("named", LIBRARY, ids=lambda named: named.name)
def test_every_stored_plan_and_certificate_holds(named):
    solution = named.best
    certified = checked(named, solution)
    assert certified.error is None
    (layer,) = solution.layers
    assert certified.checked == (layer.proof.certified is not None) == ("certificate" in named.proven_by)
    assert certified.checked or named.proven_by == (layer.proof.by,)
    if named.objective == "total":
        assert layer.objective <= greedy_value(named.instance)
    assert (named.optimum is not None) == (layer.status == "optimal" and len(named.proven_by) > 1)
    assert named.optimum in (None, layer.objective)


def test_a_stored_solution_of_other_loads_is_refused():
    named = next(named for named in LIBRARY if named.name == "eight-experts")
    other = replace(named, loads=Loads(named.loads.values + 1))
    assert checked(other, named.best).error is not None


@pytest.mark.parametrize("name", NAMES)
def test_the_program_on_disk_is_the_one_built_today(name):
    rebuilt = mps_of(program_of(read_instance(MODELS / "instances" / f"{name}.json"))).splitlines()
    for number, pair in enumerate(zip(rebuilt, stored(name).splitlines(), strict=True), start=1):
        assert pair[0] == pair[1], f"line {number}"


# The largest takes as long as all others. That its file is the program of today, and that HiGHS finds its optimum, is
# tested anyway.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "eplb-readme-0-global" else ()) for name in NAMES]
)
def test_highs_solves_the_file_from_disk_to_the_stated_optimum(name):
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    assert highs.readModel(str(MODELS / f"{name}.assignment.mps")) == highspy.HighsStatus.kOk
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    assert round(highs.getInfo().objective_function_value) == int(OPTIMA[f"{name}.assignment"])


@pytest.mark.parametrize("name", NAMES)
def test_cpsat_proves_the_optimum_of_the_instance(name):
    named = read_instance(MODELS / "instances" / f"{name}.json")
    program = program_of(named)
    assert program.exact
    assert Fraction(int(OPTIMA[f"{name}.assignment"])) / program.factor == named.optimum
    found = answer(named.instance, "cpsat", seconds=120)
    assert (found.value, found.bound, found.complete) == (named.optimum, named.optimum, True)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("four")])
def test_brute_force_agrees_where_it_can(name):
    named = read_instance(MODELS / "instances" / f"{name}.json")
    assert brute_force(named.instance) == named.optimum


def test_the_page_names_every_row_and_variable_of_the_programs():
    page = (MODELS / "assignment.md").read_text()
    named = set(re.findall(r"^\| `([a-zA-Z]+(?:_[a-z]{2,})?)", page, re.MULTILINE))
    used = set()
    for name in NAMES:
        named_instance = read_instance(MODELS / "instances" / f"{name}.json")
        under_optimal = replace(named_instance.deployment, dispatch="optimal")
        split = split_assignment(
            replace(named_instance.instance, deployment=under_optimal), upper=greedy_value(named_instance.instance)
        )
        used |= _labels(program_of(named_instance).problem) | _labels(split.problem)
    copies = Instance.from_loads([[6, 2, 2], [1, 5, 1]], Deployment(2, 6, distinct=False))
    old = (0, 1, 1, 1, 2, -1)
    used |= _labels(assignment_with_moves(copies, old, upper=Fraction(9), most_moves=1, weights=(2, 1)).problem)
    assert named == used


def _labels(problem):
    """Names of rows and variables without their numbers."""
    labels = [*problem.constraints, *(variable.name for variable in problem.variables())]
    return {re.sub(r"(_\d+)+$", "", label) for label in labels}


def test_a_damaged_instance_is_refused(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{"format": "eplb_opt.instance", "version": 1}')
    with pytest.raises(FileFormatError, match=r"broken\.json is version 1 of eplb_opt\.instance; known versions: 2"):
        read_instance(path)
    path.write_text('{"format": "eplb_opt.instance", "version": 2, "loads": [1], "optimum": null}')
    with pytest.raises(FileFormatError, match=r"broken\.json: 'deployment'"):
        read_instance(path)


def stored(name):
    return (MODELS / f"{name}.assignment.mps").read_text()
