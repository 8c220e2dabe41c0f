"""Loading: whoever waits for the compiler is told so, and nobody else."""

import logging
from time import sleep

from eplb_opt.heuristics import loading


def test_compiling_is_told_and_loading_is_not(monkeypatch, caplog):
    monkeypatch.setattr(loading, "LONGEST_LOADING", 0.05)
    with caplog.at_level(logging.WARNING):
        with loading.announced():
            pass
        sleep(0.1)
        assert caplog.messages == []
        with loading.announced():
            sleep(0.2)
    assert caplog.messages == ["compiling kernels, which happens once per machine and takes a minute or two"]
