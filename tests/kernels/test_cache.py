"""Kernel cache: what is stored is found again, and nothing else is ever taken for it."""

import logging
import pickle

import pytest

from eplb_opt.kernels import cache
from eplb_opt.kernels.cache import KernelCache, _CheckedFiles

STAMP = (1.5, 100)
CODE = bytes(range(256)) * 10


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch):
    monkeypatch.setattr(cache, "_told", set())


@pytest.fixture
def files(tmp_path):
    files = _CheckedFiles(str(tmp_path), "kernel", STAMP)
    files.save("one", CODE)
    files.save("two", CODE[::-1])
    return files


def test_what_is_stored_is_found(files, tmp_path):
    assert (files.load("one"), files.load("two"), files.load("three")) == (CODE, CODE[::-1], None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kernel.1.nbc", "kernel.2.nbc", "kernel.nbi"]


def test_kernels_of_other_sources_and_other_versions_are_not_found(files, tmp_path, caplog):
    assert _CheckedFiles(str(tmp_path), "kernel", (2.5, 100)).load("one") is None
    (tmp_path / "kernel.nbi").write_bytes(pickle.dumps("0.1.0") + b"whatever that version writes")
    assert files.load("one") is None
    assert caplog.messages == []


def test_no_byte_of_the_code_can_differ(files, tmp_path):
    path = tmp_path / "kernel.1.nbc"
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ValueError, match="the file is damaged"):
            files.load("one")
    for length in (0, 1, 31, 32, 33, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="the file is damaged"):
            files.load("one")
    path.write_bytes(content)
    assert files.load("one") == CODE


def test_a_damaged_index_is_an_empty_one_and_is_told_once(files, tmp_path, caplog):
    path = tmp_path / "kernel.nbi"
    content = path.read_bytes()
    with caplog.at_level(logging.WARNING):
        for length in (len(content) - 1, len(content) // 2, 0):
            path.write_bytes(content[:length])
            assert files.load("one") is None
    assert [message.split(": ")[0] for message in caplog.messages] == [
        "stored kernels cannot be used, and are compiled again"
    ]
    files.save("one", CODE)
    assert files.load("one") == CODE


def test_the_code_of_another_kernel_is_not_taken_for_this_one(files, tmp_path):
    (tmp_path / "kernel.1.nbc").write_bytes((tmp_path / "kernel.2.nbc").read_bytes())
    assert (files.load("one"), files.load("two")) == (None, CODE[::-1])


def test_a_file_that_cannot_be_written_leaves_nothing_behind(files, tmp_path):
    (tmp_path / "kernel.1.nbc").unlink()
    (tmp_path / "kernel.1.nbc").mkdir()
    with pytest.raises(OSError, match="directory"):
        files.save("one", CODE)
    assert not list(tmp_path.glob("*.tmp.*"))


def test_a_compiler_is_told_of_no_failure(monkeypatch, caplog):
    def fail(*_):
        raise OSError("no space left")

    files = KernelCache(test_a_compiler_is_told_of_no_failure)
    monkeypatch.setattr(cache.FunctionCache, "load_overload", fail)
    monkeypatch.setattr(cache.FunctionCache, "save_overload", fail)
    assert files.load_overload(None, None) is None
    files.save_overload(None, None)
    assert [message.split(": ")[-1] for message in caplog.messages] == ["no space left"] * 2
