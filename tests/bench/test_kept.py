"""Kept runs: what comes back is what was written, and nothing of other settings, loads or versions is mixed in."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eplb_opt.bench.kept import KeptRuns, _checksum
from eplb_opt.bench.machine import Machine
from eplb_opt.bench.run import Settings, run_all
from eplb_opt.bench.suite import Case
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError
from eplb_opt.loads import Loads

SETTINGS = Settings(time_limit=1.0, target_gap=0.01, seed=0, workers=1)
CASE = Case("mine", Loads([[[9, 5, 3, 1]], [[1, 5, 3, 9]]]), Deployment(3, 6), objective="worst")
METHODS = ["greedy", "lpt"]


@pytest.fixture(scope="module")
def made():
    return list(run_all([CASE], METHODS, SETTINGS))


@pytest.fixture
def kept(tmp_path, made):
    keeper = KeptRuns(tmp_path / "runs", SETTINGS, Machine.here())
    assert keeper.open([CASE], METHODS) == {}
    for run in made:
        keeper.write(run)
    return keeper


def test_runs_come_back_as_they_were_and_are_not_made_again(kept, made):
    found = kept.open([CASE], METHODS)
    assert list(found.values()) == made
    assert all(run.case is CASE for run in found.values())
    assert [run is found["mine-4x6x3", run.method] for run in run_all([CASE], METHODS, SETTINGS, kept=found)] == [
        True
    ] * 2


def test_only_what_is_asked_for_is_looked_at(kept):
    assert list(kept.open([CASE], ["lpt", "pulp:HiGHS"])) == [("mine-4x6x3", "lpt")]
    assert kept.open([replace(CASE, name="another")], METHODS) == {}
    assert sorted(path.name for path in kept.folder.iterdir()) == ["mine-4x6x3.greedy.json", "mine-4x6x3.lpt.json"]


HERE = Machine.here()
OTHERS = {
    "time limit": (CASE, {"settings": replace(SETTINGS, time_limit=2.0)}, "made with time_limit=1.0, not 2.0"),
    "gap": (CASE, {"settings": replace(SETTINGS, target_gap=0.0)}, "made with target_gap=0.01, not 0.0"),
    "seed": (CASE, {"settings": replace(SETTINGS, seed=1)}, "made with seed=0, not 1"),
    "workers": (CASE, {"settings": replace(SETTINGS, workers=2)}, "made with workers=1, not 2"),
    "loads": (replace(CASE, loads=Loads(CASE.loads.values + 1)), {}, "is of other loads, another deployment"),
    "deployment": (replace(CASE, deployment=Deployment(3, 6, distinct=False)), {}, "is of other loads, another depl"),
    "objective": (replace(CASE, objective="mean"), {}, "or another objective"),
    "processor": (CASE, {"machine": replace(HERE, processor="fast")}, "not 'fast'"),
    "cores": (CASE, {"machine": replace(HERE, cores=99)}, "not 99"),
    "version": (CASE, {"machine": replace(HERE, versions=HERE.versions | {"ortools": "1"})}, "not '1'"),
    "package": (CASE, {"machine": replace(HERE, versions=HERE.versions | {"new": "1"})}, "new=None, not '1'"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_run_that_would_come_out_otherwise_now_is_refused_by_the_difference(kept, other):
    case, changes, words = OTHERS[other]
    with pytest.raises(FileFormatError) as refused:
        replace(kept, **changes).open([case], METHODS)
    sentence = str(refused.value)
    assert "mine-4x6x3.greedy.json" in sentence and words in sentence
    assert sentence.endswith("; keep these runs in another folder, or remove the file to run it again")


def test_memory_and_system_may_differ_and_are_those_of_the_run(kept):
    later = replace(kept, machine=replace(HERE, memory_gib=None, system="later"))
    assert all(run.machine == HERE for run in later.open([CASE], METHODS).values())


def signed(content):
    """A file with a right checksum of what should not be in it."""
    content.pop("checksum")
    return json.dumps(content | {"checksum": _checksum(content)})


DAMAGES = {
    "half": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "other file": lambda text: '{"format": "eplb_opt.plan", "version": 1}',
    "version": lambda text: text.replace('"version": 1', '"version": 9', 1),
    "no solution": lambda text: signed({key: v for key, v in json.loads(text).items() if key != "solution"}),
    "versions": lambda text: signed(json.loads(text) | {"versions": 3}),
    "seconds": lambda text: signed(json.loads(text) | {"seconds": -1}),
    "another value": lambda text: text.replace('"seconds": 0.', '"seconds": 1.', 1),
    "plan": lambda text: text.replace('"physical_to_logical": [[', '"physical_to_logical": [[0, 0, 0, '),
    "trace": lambda text: text.replace('"trace": [{', '"trace": [], "old": [{'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_one_sentence_with_its_name(kept, damage):
    path = kept.folder / "mine-4x6x3.lpt.json"
    path.write_text(DAMAGES[damage](path.read_text()))
    with pytest.raises(FileFormatError, match=r"mine-4x6x3.lpt.json.*remove the file to run it again$") as refused:
        kept.open([CASE], METHODS)
    assert "\n" not in str(refused.value)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_every_byte_counts(kept, place, byte):
    path = kept.folder / "mine-4x6x3.lpt.json"
    before = path.read_bytes()
    data = bytearray(before)
    data[place % len(data)] = byte
    path.write_bytes(data)
    try:
        found = kept.open([CASE], ["lpt"])
    except FileFormatError as error:
        assert "mine-4x6x3.lpt.json" in str(error) and "remove the file" in str(error)
    else:
        # Space between the words of JSON may be another.
        assert data.split() == before.split() and found
    finally:
        path.write_bytes(before)


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileFormatError, match="file cannot be made: File exists"):
        KeptRuns(tmp_path / "file", SETTINGS, HERE).open([CASE], METHODS)
