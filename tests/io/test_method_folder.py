"""Files of methods in several folders: each runs with what lies beside it, and has a name of its own."""

import sys

import pytest

from eplb_opt.io.method_file import read_method, read_methods

RULE = """\
import helper_of_rules


def early(*sizes):
    return helper_of_rules.VERSION


def late(*sizes):
    import parts_of_rules.deep

    return parts_of_rules.deep.VERSION
"""


@pytest.fixture
def folders(tmp_path):
    """Two versions of a rule with helpers of the same names."""
    for version in ("old", "new"):
        folder = tmp_path / version
        (folder / "parts_of_rules").mkdir(parents=True)
        (folder / "rule.py").write_text(RULE)
        (folder / "helper_of_rules.py").write_text(f"VERSION = {version!r}\n")
        (folder / "parts_of_rules" / "__init__.py").write_text("")
        (folder / "parts_of_rules" / "deep.py").write_text(f"VERSION = {version!r}\n")
    return tmp_path


def test_each_file_runs_with_the_helpers_of_its_folder_whatever_runs_in_between(folders):
    path, modules = list(sys.path), set(sys.modules)
    methods = {(v, f): read_method(f"{folders}/{v}/rule.py:{f}") for f in ("early", "late") for v in ("old", "new")}
    for _ in range(2):
        for (version, _), method in methods.items():
            assert method() == version
    assert sys.path == path and set(sys.modules) == modules


def test_a_folder_that_a_file_adds_to_the_path_is_its_own_too(folders, tmp_path):
    for version in ("old", "new"):
        (tmp_path / version / "more").mkdir()
        (tmp_path / version / "more" / "far_helper.py").write_text(f"VERSION = {version!r}\n")
        source = f"import sys\nsys.path.insert(0, {str(tmp_path / version / 'more')!r})\n"
        source += "def f(*sizes):\n    import far_helper\n    return far_helper.VERSION\n"
        (tmp_path / version / "adds.py").write_text(source)
    old, new = (read_method(f"{tmp_path}/{version}/adds.py:f") for version in ("old", "new"))
    assert [old(), new(), old()] == ["old", "new", "old"]


def test_a_module_that_was_there_before_is_there_afterwards(folders, monkeypatch):
    method = read_method(f"{folders}/old/rule.py:early")
    monkeypatch.setitem(sys.modules, "helper_of_rules", sys)
    assert method() == "old" and sys.modules["helper_of_rules"] is sys


@pytest.mark.parametrize("changed", ["rule.py", "helper_of_rules.py", "parts_of_rules/deep.py"])
def test_a_fingerprint_is_of_the_file_and_of_what_it_imports_from_its_folder(folders, changed):
    word = f"{folders}/old/rule.py:late"
    code = read_method(word).code
    (folders / "old" / "unrelated.py").write_text("VERSION = 3\n")
    assert read_method(word).code == code
    with (folders / "old" / changed).open("a") as file:
        file.write("# changed\n")
    assert read_method(word).code != code


def test_files_of_one_name_are_told_apart_by_their_folders(folders, monkeypatch):
    monkeypatch.chdir(folders)
    words = ["old/rule.py:early", "lpt", "new/rule.py:early", "old/rule.py:late", "old/rule.py:early"]
    names = ["old/rule.py:early", "lpt", "new/rule.py:early", "old/rule.py:late"]
    assert list(map(str, read_methods(words))) == names
    assert list(map(str, read_methods(["old/rule.py:early", "old/rule.py:late"]))) == ["rule.py:early", "rule.py:late"]


def test_a_tilde_within_a_list_is_the_home_folder(folders, monkeypatch):
    monkeypatch.setenv("HOME", str(folders))
    assert [str(method) for method in read_methods(["lpt", "~/old/rule.py:early"])] == ["lpt", "rule.py:early"]
