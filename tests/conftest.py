"""Settings and fixtures of all tests."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from eplb_opt.proof import REFUSED
from tests import clocks
from tests.examples import FEW, MANY

# The first call of a kernel compiles it: no deadline, and slow first examples are no sign of a slow strategy.
# The examples are the same in every run, wherever it is; `tests.soak` draws others, and more of them.
settings.register_profile(
    "same",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    database=None,
    max_examples=FEW,
)
settings.register_profile("soak", settings.get_profile("same"), derandomize=False, print_blob=True, max_examples=MANY)
settings.load_profile("same")

# A shell that runs tests in the background has them ignore signals that some of them send.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of these tests."""
    parser.addoption("--idle", action="store_true", help="hold limits of time to the letter: nothing else runs here")


def pytest_configure(config: pytest.Config) -> None:
    """Tell the clocks how exact they have to be."""
    if config.getoption("--idle"):
        clocks.SLACK = 1.0


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of recorded loads, which are not part of the project."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded loads at {folder}")
    return folder


@pytest.fixture
def workers_begin_with(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Have every interpreter that is started from then on run some code first, as an administrator may."""

    def write(code: str) -> None:
        folder = tmp_path_factory.mktemp("administrator")
        (folder / "sitecustomize.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")])))

    return write


@pytest.fixture
def plain_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of reports have a figure without content in each place, which the tests of the page draw."""
    monkeypatch.setattr("eplb_opt.report.page.draw", lambda *_picture, **_key: "<svg></svg>")


class _Refusals(logging.Handler):
    """What the log says of evidence that the checker did not accept."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if REFUSED in record.getMessage():
            self.words.append(record.getMessage())


@pytest.fixture(autouse=True)
def evidence_is_accepted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Evidence that the checker refuses costs a user no more than a word in the log; here it is a failure."""
    handler, logger = _Refusals(), logging.getLogger("eplb_opt")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    if request.node.get_closest_marker("refused_evidence") is None:
        assert not handler.words
