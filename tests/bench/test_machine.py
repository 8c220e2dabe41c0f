"""The machine: what seconds depend on, and nothing that says whose it is."""

import platform

import pytest

from eplb_opt.bench import machine
from eplb_opt.bench.machine import Machine
from eplb_opt.limits import usable_cores


def test_versions_cores_and_processor_are_told_and_no_host_name():
    here = Machine.here()
    assert here == Machine.here()
    assert here.cores == usable_cores() and here.processor and here.memory_gib > 0
    assert set(here.versions) == {"eplb_opt", "Python", "ortools", "highspy", "PuLP", "cbcbox", "numpy", "numba"}
    assert set(here.columns) == {*here.versions, "processor", "cores", "memory_gib", "system"}
    words = (str(here) + str(here.columns)).split()
    assert platform.node() not in words


@pytest.mark.parametrize("text", [None, "processor : 0\n"])
def test_a_system_that_tells_little_still_has_a_processor(tmp_path, monkeypatch, text):
    told = tmp_path / "cpuinfo"
    if text is not None:
        told.write_text(text)
    monkeypatch.setattr(machine, "_CPU_INFO", told)
    assert Machine.here().processor in (platform.processor(), platform.machine(), "unknown")
    told.write_text("processor : 0\nmodel name\t: Some CPU @ 2 GHz\nprocessor : 1\n")
    assert Machine.here().processor == "Some CPU @ 2 GHz"


def test_what_is_not_known_is_left_out_of_the_words():
    words = str(Machine("a processor", 1, None, "a system", {"eplb_opt": "1", "ortools": "none"}))
    assert words == "eplb_opt 1; a processor, 1 core, a system"
