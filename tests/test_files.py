import errno
import os
import stat

import pytest

from eplb_opt.errors import FileFormatError, InvalidPlanError
from eplb_opt.files import naming, parse_json, read_bytes, read_text, write_whole


def sentence(info):
    message = str(info.value)
    assert "\n" not in message
    return message


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_text_is_read_without_a_byte_order_mark(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfhe\xc3\xa9")
    assert read_text(tmp_path / "a.txt") == "heé"


@pytest.mark.parametrize(
    ("name", "says"),
    [("absent.json", "does not exist"), (".", "is a folder"), ("a\0b", "cannot be read"), ("file/x", "cannot be read")],
)
def test_a_path_that_cannot_be_read_is_named(tmp_path, name, says):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileFormatError, match=says) as info:
        read_bytes(tmp_path / name)
    assert str(tmp_path) in sentence(info)


def test_missing_permission_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(FileFormatError, match=r"a\.json cannot be read: Permission denied") as info:
        read_bytes(tmp_path / "a.json")
    sentence(info)


def test_text_that_is_not_utf8_is_refused_with_the_first_wrong_byte(tmp_path):
    (tmp_path / "latin.csv").write_bytes(b"caf\xe9")
    with pytest.raises(FileFormatError, match=r"latin\.csv is not UTF-8 text: byte 0xe9 at offset 3"):
        read_text(tmp_path / "latin.csv")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": [1, 2', "line 1 column 12"),
        ('{"a":\n 1,}', "line 2 column 4"),
        ("[1, NaN]", "holds NaN"),
        ("[-Infinity]", "holds -Infinity"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "1" * 5000 + "]", "too many digits"),
        ("", "line 1 column 1"),
    ],
)
def test_bad_json_is_one_sentence_with_its_place(text, says):
    with pytest.raises(FileFormatError, match=says) as info:
        parse_json(text, "x.json")
    assert sentence(info).startswith("x.json ")


def test_naming_keeps_the_type_of_the_error():
    with pytest.raises(InvalidPlanError, match=r"^x\.json: no plan$"), naming("x.json"):
        raise InvalidPlanError("no plan")


@pytest.mark.parametrize("data", [b"\x00\xff", "text é"])
def test_what_is_written_is_read(tmp_path, data):
    write_whole(tmp_path / "a", data)
    assert read_bytes(tmp_path / "a") == (data if isinstance(data, bytes) else data.encode())
    assert names_in(tmp_path) == ["a"]


def test_a_new_file_gets_the_mode_of_a_normal_new_file(tmp_path):
    old = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_an_old_file_is_replaced_and_keeps_its_mode(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o600)
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "plan.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert names_in(tmp_path / "real") == ["plan.json"]


def test_a_relative_name_is_written_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole("a", "x")
    assert names_in(tmp_path) == ["a"]


def test_devices_are_written_directly():
    write_whole("/dev/null", b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116


def test_standard_output_keeps_what_was_written_before(capfd):
    os.write(1, b"before ")
    write_whole("/dev/stdout", "after")
    assert capfd.readouterr().out == "before after"


def test_a_pipe_is_written_directly(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(tmp_path / "pipe", b"through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing/a.json", "missing does not exist"),
        ("dangling", "gone does not exist"),
        ("folder", "is a folder"),
        ("file/a.json", "cannot be written"),
        ("a\0b", "cannot be written"),
        ("n" * 300, "cannot be written"),
        ("loop", "cannot be written"),
    ],
)
def test_a_target_that_cannot_be_written_is_named_and_nothing_remains(tmp_path, name, says):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone" / "a")
    with pytest.raises(FileFormatError, match=says) as info:
        write_whole(tmp_path / name, "data")
    assert str(tmp_path) in sentence(info)
    assert names_in(tmp_path) == ["dangling", "file", "folder", "loop"]
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "pathlib.Path.open"])
def test_a_failure_at_any_step_keeps_the_old_file_whole(tmp_path, monkeypatch, call):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(call, fail)
        with pytest.raises(FileFormatError, match=r"a\.json cannot be written: No space left on device") as info:
            write_whole(path, "new")
    sentence(info)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["a.json"]


def test_an_interrupt_leaves_nothing_half_written(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", "data")
    assert names_in(tmp_path) == []
