"""Alarm: rings for a block that is late, and for no other."""

import threading
import time

import pytest

from eplb_opt.alarm import alarm


def test_it_rings_while_a_block_is_late_and_the_block_goes_on():
    rung = threading.Event()
    with alarm(0.01, rung.set):
        assert rung.wait(10)


def test_it_is_silent_once_the_block_is_over_however_it_ended():
    rung = []
    with alarm(0.2, rung.append, "done"):
        pass
    with pytest.raises(ZeroDivisionError), alarm(0.2, rung.append, "failed"):
        raise ZeroDivisionError
    time.sleep(0.4)
    assert rung == []
