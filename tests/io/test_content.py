import errno
import os
import pickle
import sys

import numpy as np
import pytest
import torch

from eplb_opt.errors import FileFormatError, MissingPackageError
from eplb_opt.io.content import parse_content, read_content
from tests.io.containers import npy, npz, saved, zipped


def npy_header(count):
    """A .npy file that claims `count` numbers and holds one."""
    return npy(np.ones(1)).replace(b"(1,), }" + b" " * 12, f"({count},), }}".encode())


TENSOR = torch.arange(6).reshape(2, 3)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (npy(np.ones(2)), "numpy"),
        (npz(loads=np.ones(2)), "numpy"),
        (saved(TENSOR), "torch"),
        (saved(TENSOR, _use_new_zipfile_serialization=False), "torch"),
        (b' \n{"a": 1}', "json"),
        (b"\xef\xbb\xbf[1]", "json"),
        (b'{"a": 1}\n \n', "json"),
        (b'{"a":\n1}\n', "json"),
        (b'{"a": 1}\n{"b": 1}', "json lines"),
        (b"\xef\xbb\xbf[1]\r\n\n2\n", "json lines"),
        (b"\n [1]\n2", "json lines"),
        (b'{"load_history": [', "json stream"),
        (b'\xef\xbb\xbf {\n "load_history" :\n [{}]}', "json stream"),
        (b'{"load_history": 1}', "json"),
        (b'{"a": 1, "load_history": []}', "json"),
        (b"1\n2\n", "text"),
        (b"1,2\n", "text"),
    ],
)
def test_containers_are_recognised_by_their_bytes_under_any_name(data, kind):
    assert parse_content(data, "misleading.csv").kind == kind


class Unsafe:
    def __reduce__(self):
        return (print, ("executed",))


BAD = {
    "nothing": (b"", "is empty"),
    "blanks": (b" \n\t", "is empty"),
    "cut npy": (npy(np.ones((3, 4)))[:-1], "no readable NumPy file"),
    "pickled npy": (npy(np.array([{}], dtype=object)), "no readable NumPy file: Object arrays"),
    "two arrays in a row": (npy(np.ones(2)) * 2, "goes on after its first array"),
    "cut npz": (npz(loads=np.ones(2))[:-30], "damaged zip archive"),
    "pickled npz": (npz(loads=np.array([None])), "no readable NumPy file: Object arrays"),
    "cut torch": (saved(TENSOR)[:-30], "damaged zip archive"),
    "cut legacy torch": (saved(TENSOR, _use_new_zipfile_serialization=False)[:-8], "is damaged"),
    "hollow torch": (zipped(**{"archive/data.pkl": "nonsense"}), "is damaged"),
    "code in torch": (saved({"logical_count": Unsafe()}), "more than tensors"),
    "pickle": (pickle.dumps([1, 2]), "is a pickle, which runs code"),
    "cut json": (b'{"a": [', "not valid JSON"),
    "bytes": (b"\x00\xff\xfe", "not UTF-8 text"),
    "doubled key": (b'{"a": 1, "b": {"c": 1, "d": 2, "c": 3}}', "has the key 'c' twice in one object"),
    "nan": (b'{"a": [1, NaN]}', "holds NaN, which is no JSON number"),
    "deep json": (b"[" * 100_000, "nested too deeply"),
    "terabytes": (npy_header(10**12), "no readable NumPy file"),
    "terabytes in npz": (zipped(**{"loads.npy": npy_header(10**12)}), "no readable NumPy file"),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD)
def test_damaged_containers_are_refused_in_one_sentence(data, says, capfd):
    with pytest.raises(FileFormatError, match=says) as info:
        parse_content(data, "bad.bin")
    assert str(info.value).startswith("bad.bin ")
    assert "\n" not in str(info.value)
    assert capfd.readouterr().out == ""


def test_a_changed_number_in_a_torch_file_is_damage():
    tensor = torch.tensor([123456789])
    data = saved(tensor).replace((123456789).to_bytes(8, "little"), (123456788).to_bytes(8, "little"))
    with pytest.raises(FileFormatError, match="damaged zip archive: the checksum of 'archive/data/0' is wrong"):
        parse_content(data, "a.pt")


def test_a_torch_file_may_be_saved_without_checksums():
    torch.serialization.set_crc32_options(False)
    try:
        data = saved(TENSOR)
    finally:
        torch.serialization.set_crc32_options(True)
    assert torch.equal(parse_content(data, "a.pt").value, TENSOR)


def test_without_torch_its_files_name_the_missing_package(monkeypatch):
    data = saved(TENSOR)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackageError, match="pip install torch"):
        parse_content(data, "a.pt")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": 1, "b": 2}', "json with keys 'a', 'b'"),
        (b'{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}', "json with keys 'a', 'b', 'c', 'd', 'e', ..."),
        (b'{"a\\nb": 1}', r"json with keys 'a\nb'"),
        (b"{}", "an empty dict"),
        (b"[1]", "json (list)"),
        (b"hello", "text"),
        (b'{"a": 1}\n{"b": 1}\n', "JSON lines, the first with keys 'a'"),
        (b"[1]\n[2]", "JSON lines, the first [1]"),
        (b'{"load_history": [', "a large JSON document"),
        (npy(np.ones(2)), "numpy (ndarray)"),
        (saved(TENSOR), "torch (Tensor)"),
    ],
)
def test_content_describes_itself_in_a_few_words(data, words):
    assert str(parse_content(data, "x")) == words


def test_json_lines_are_numbered_and_read_again_and_again():
    content = parse_content(b'{"a": 1}\n\n[2]\n3', "x.jsonl")
    assert content.value.first == {"a": 1}
    assert list(content.value) == list(content.value) == [(1, {"a": 1}), (3, [2]), (4, 3)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"a": [\n', r"^x\.jsonl line 2 is not valid JSON"),
        (b'{"a": 1, "a": 2}\n', r"^x\.jsonl line 2 has the key 'a' twice"),
        (b"NaN\n", r"^x\.jsonl line 2 holds NaN"),
        (b"\xff\n", r"^x\.jsonl line 2 is not UTF-8"),
        (b'{"a": [', r"^x\.jsonl line 2 is cut off.*remove this last line to read those before it$"),
        (b'{"a": "\xc3', r"^x\.jsonl line 2 is cut off"),
    ],
)
def test_a_damaged_line_is_refused_by_number(line, says):
    content = parse_content(b'{"a": 1}\n' + line, "x.jsonl")
    with pytest.raises(FileFormatError, match=says):
        list(content.value)


def test_a_line_that_grows_is_read_when_it_is_gone_through(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("[1]\n[2]\n")
    content = read_content(path)
    with path.open("a") as file:
        file.write("[3]\n")
    assert [value for _, value in content.value] == [[1], [2], [3]]


def test_a_folder_is_its_names(tmp_path):
    assert str(read_content(tmp_path)) == "an empty folder"
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text("")
    content = read_content(str(tmp_path))
    assert (content.kind, content.value) == ("folder", ("a.txt", "b.txt"))
    assert str(content) == "a folder with 'a.txt', 'b.txt'"


def test_a_folder_or_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (tmp_path / "a.json").write_text("{}")
    monkeypatch.setattr("os.listdir", refuse)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    for path in (tmp_path, tmp_path / "a.json"):
        with pytest.raises(FileFormatError, match=f"^{path} cannot be read: Permission denied$"):
            read_content(path)
