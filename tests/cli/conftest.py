"""Commands run in a folder of their own."""

import signal

import pytest

import eplb_opt
from eplb_opt.cli.main import main
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command in a folder of its own: exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run(*arguments):
        with pytest.raises(SystemExit) as exit:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return exit.value.code, out, err

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def recording(run):
    """Six decoder layers of which 1-5 hold 16 experts, as SGLang records them."""
    loads = generate_loads(num_experts=16, num_layers=5, skew=1.0, seed=3)
    write_loads(eplb_opt.Loads(loads.values, layer_ids=range(1, 6), num_model_layers=6), "loads.json")
    return "loads.json"
