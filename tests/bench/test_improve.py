"""Improving the library: what is better is kept, what is wrong is refused, and optima have two provers."""

from dataclasses import replace
from fractions import Fraction

import pytest

import eplb_opt
from eplb_opt.bench.improve import improve
from eplb_opt.bench.run import Settings
from eplb_opt.cli.main import run_command
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, SolverError
from eplb_opt.io.instances import read_instance, read_library, solution_path, write_instance
from eplb_opt.library import rebuild
from eplb_opt.loads import Loads
from eplb_opt.named_instance import NamedInstance

SETTINGS = Settings(time_limit=60.0, target_gap=0.0, seed=0, workers=1)
NAMED = NamedInstance("four", Loads([[20, 21, 69, 61]]), Deployment(3, 6), "total", None, (), "by hand")


def greedy(named):
    """A solution to begin with."""
    return eplb_opt.solve(named.loads, named.deployment, method="greedy")


def with_proof(solution, **changes):
    """The solution with another proof of its only layer."""
    (layer,) = solution.layers
    return replace(solution, layers=(replace(layer, proof=replace(layer.proof, evidence=None, **changes)),))


@pytest.fixture
def folder(tmp_path):
    write_instance(NAMED, tmp_path)
    return tmp_path


def test_an_optimum_has_two_provers_and_a_second_run_finds_nothing_better():
    first = improve(NAMED, None, SETTINGS)
    assert (first.news, first.named.optimum) == ("new", 65)
    assert len(first.named.proven_by) > 1 and len(set(first.named.proven_by)) == len(first.named.proven_by)
    again = improve(first.named, first.solution, SETTINGS)
    assert (again.news, again.solution) == ("", first.solution)
    assert (again.named.optimum, again.named.proven_by) == (65, first.named.proven_by)


def test_a_worse_plan_and_a_lower_bound_are_replaced():
    weak = with_proof(greedy(NAMED), bound=Fraction(1), argument="mean")
    improved = improve(NAMED, weak, SETTINGS)
    assert "bound" in improved.news
    assert improved.layer.objective == improved.layer.lower_bound == 65


def test_a_bound_above_a_plan_is_refused():
    wrong = with_proof(greedy(NAMED), bound=Fraction(66), argument="program", checked=False, by="somebody")
    with pytest.raises(SolverError, match="four"):
        improve(NAMED, wrong, SETTINGS)


def test_a_certificate_that_does_not_hold_is_refused():
    wrong = with_proof(greedy(NAMED), bound=Fraction(65), argument="mean")
    with pytest.raises(SolverError, match="four: its bound is not proven"):
        improve(NAMED, wrong, SETTINGS)


def test_the_command_solves_a_library_again_and_writes_what_is_better(folder, capsys):
    words = ["bench", "--library", str(folder), "--time-limit", "60", "--workers", "1"]
    assert run_command(words) == 0
    assert "1 of 1 instances are better than before" in capsys.readouterr().out
    (named,) = read_library(folder)
    assert named.optimum == 65
    assert named.best.layers[0].objective == 65
    assert "=opt= four 65\n" in (folder / "optima.solu").read_text()
    assert "| four | 4 x 6 x 3 |" in (folder / "instances.md").read_text()
    assert run_command(words) == 0
    assert "0 of 1 instances are better than before" in capsys.readouterr().out


def test_a_library_without_instances_and_a_solution_of_another_instance_are_refused(folder, tmp_path):
    with pytest.raises(FileFormatError, match=r"has no instances/\*\.json"):
        run_command(["bench", "--library", str(tmp_path / "nothing")])
    named = read_instance(folder / "instances" / "four.json")
    other = greedy(replace(NAMED, deployment=Deployment(2, 6)))
    solution_path(named, folder).parent.mkdir()
    other.save(solution_path(named, folder))
    with pytest.raises(FileFormatError, match="is no solution of four"):
        rebuild(folder)
