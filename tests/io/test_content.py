import io
import pickle
import sys
import zipfile

import numpy as np
import pytest
import torch

from eplb_opt.errors import FileFormatError, MissingPackageError
from eplb_opt.io.content import parse_content
from tests.io.containers import npy, npz, saved


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return stream.getvalue()


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
    "pickle": (pickle.dumps([1, 2]), "not UTF-8 text"),
    "cut json": (b'{"a": [', "not valid JSON"),
    "bytes": (b"\x00\xff\xfe", "not UTF-8 text"),
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
        (npy(np.ones(2)), "numpy (ndarray)"),
        (saved(TENSOR), "torch (Tensor)"),
    ],
)
def test_content_describes_itself_in_a_few_words(data, words):
    assert str(parse_content(data, "x")) == words
