"""Limits: seconds and work run down, and what a part uses is used of the whole."""

from math import inf

import pytest

from eplb_opt import limits
from eplb_opt.limits import Limits, Meter


class Clock:
    """A clock that is put forward by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(limits, "monotonic", clock)
    return clock


def test_seconds_run_out(clock):
    meter = Meter(Limits(10.0, threads=3, seed=7))
    clock.now += 4
    assert not meter.exhausted
    assert meter.left() == Limits(6.0, threads=3, seed=7)
    clock.now += 6
    assert meter.exhausted
    clock.now += 1
    assert meter.left() == Limits(0.0, threads=3, seed=7)


def test_work_runs_out(clock):
    meter = Meter(Limits(10.0, work=2.0))
    meter.spend(1.5)
    assert not meter.exhausted
    assert meter.left() == Limits(10.0, work=0.5)
    meter.spend(0.5)
    assert meter.exhausted
    meter.spend(1.0)
    assert meter.left() == Limits(10.0, work=0.0)


def test_without_a_work_limit_only_time_counts(clock):
    meter = Meter(Limits(10.0))
    meter.spend(inf)
    assert not meter.exhausted
    assert meter.left(0.5) == Limits(5.0)
    assert meter.part().left().work is None


def test_a_share_is_one_of_what_is_left(clock):
    meter = Meter(Limits(10.0, work=4.0))
    clock.now += 2
    meter.spend(3.0)
    assert meter.left(0.25) == Limits(2.0, work=0.25)


def test_a_part_ends_before_the_whole(clock):
    whole = Meter(Limits(10.0, work=4.0))
    part = whole.part(0.5)
    assert part.left() == Limits(5.0, work=2.0)
    clock.now += 5
    assert part.exhausted and not whole.exhausted


def test_work_of_a_part_of_a_part_counts_in_the_whole(clock):
    whole = Meter(Limits(10.0, work=4.0))
    part = whole.part(0.5)
    smaller = part.part(0.5)
    smaller.spend(1.0)
    assert smaller.exhausted and not part.exhausted and not whole.exhausted
    assert (part.left().work, whole.left().work) == (1.0, 3.0)
    # Work of the whole is not work of its parts.
    whole.spend(1.0)
    assert (part.left().work, whole.left().work) == (1.0, 2.0)


@pytest.mark.parametrize(("most", "exhausted"), [(3.0, False), (inf, False), (0.0, True)])
def test_a_part_has_at_most_so_many_seconds(clock, most, exhausted):
    part = Meter(Limits(10.0, threads=2, seed=5)).part(most=most)
    assert part.left() == Limits(min(most, 10.0), threads=2, seed=5)
    assert part.exhausted == exhausted


@pytest.mark.parametrize(("most", "exhausted"), [(1.0, False), (3.0, False), (0.0, True)])
def test_where_work_is_limited_that_of_a_part_is_and_the_clock_decides_nothing(clock, most, exhausted):
    part = Meter(Limits(100.0, work=2.0)).part(most=most)
    assert part.left() == Limits(100.0, work=min(most, 2.0))
    clock.now += 99
    assert part.exhausted == exhausted


def test_nothing_is_left_from_the_start_where_limits_are_zero(clock):
    assert Meter(Limits(0.0)).exhausted
    assert Meter(Limits(10.0, work=0.0)).exhausted
    assert Meter(Limits(0.0)).part().exhausted
