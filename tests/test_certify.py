"""certify: whatever a file claims, the answer is a sentence."""

import importlib
import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import eplb_opt
from eplb_opt.certify import certify
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.io import read_solution


def test_a_forged_certificate_that_is_nested_too_deeply_is_no_proof(tmp_path, monkeypatch):
    eplb_opt.solve([[3, 2, 2, 1]], Deployment(2, 4)).save(tmp_path / "solution.json")
    content = json.loads((tmp_path / "solution.json").read_text())
    content["layers"][0]["proof"]["evidence"] = {"argument": "search"}
    (tmp_path / "solution.json").write_text(json.dumps(content))
    solution = read_solution(tmp_path / "solution.json")
    assert certify(solution, [[3, 2, 2, 1]])[0].error is None

    def deep(*_arguments, **_options):
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr(importlib.import_module("eplb_opt.acceptance"), "check", deep)
    (certified,) = certify(solution, [[3, 2, 2, 1]])
    assert not certified.checked
    assert certified.error == "its bound is not proven: maximum recursion depth exceeded"


def test_files_of_solutions_are_certified(tmp_path):
    values = np.array([[90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86]])
    for deployment in (Deployment(4, 16), Deployment(4, 16, 2, 4), Deployment(12, 12)):
        eplb_opt.solve(values, deployment, time_limit=1.0).save(tmp_path / "solution.json")
        (layer,) = certify(read_solution(tmp_path / "solution.json"), values)
        assert layer.error is None
    assert layer.checked


def test_other_loads_than_those_of_the_solution_are_told():
    values = np.array([[9, 8, 7, 6]])
    solution = eplb_opt.solve(values, Deployment(2, 4), time_limit=0.5)
    (layer,) = certify(solution, 2 * values)
    assert "its objective is 30.0, not 15.0" in layer.error
    with pytest.raises(InvalidLoadsError, match="have 1 layers of 3 experts, the solution has 1 of 4"):
        certify(solution, values[:, :3])


def test_values_of_a_file_that_are_not_those_of_the_plan_are_told():
    values = np.array([[[9, 8, 7, 6]], [[1, 2, 3, 4]]])
    solution = eplb_opt.solve(values, Deployment(2, 4), time_limit=0.5)
    layer = solution.layers[0]
    changes = {
        "max load": {"layers": (replace(layer, max_load=Fraction(1)),)},
        "above its objective": {"layers": (replace(layer, proof=replace(layer.proof, bound=Fraction(9))),)},
        "window weights": {"window_weights": (Fraction(1),)},
        "not positive": {"window_weights": (Fraction(0), Fraction(0))},
    }
    for words, change in changes.items():
        (told,) = certify(replace(solution, **change), values)
        assert words in told.error
    assert certify(solution, values)[0].error is None
