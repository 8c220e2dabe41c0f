"""Damaged kernel files: the same plan as ever, and a word about what takes longer."""

import shutil
import sys

import pytest

from tests.faults.commands import GREEDY, ROOT, environment, names_in, obey_permissions, record, run

# Kernels that every command loads, each made in seconds.
KERNELS = ("packing.pack-", "replication.")
DAMAGED = "WARNING: stored kernels cannot be used, and are compiled again: "
NOT_STORED = "WARNING: kernels cannot be stored, and are compiled again next time: "


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """A copy of the package with its stored kernels, compiled once more where the original has none."""
    root = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "eplb_opt", root / "eplb_opt")
    folder = tmp_path_factory.mktemp("run")
    record(folder)
    return root, plan_of(folder, root)[0]


@pytest.fixture
def copy(package, tmp_path):
    """A package of the test's own, a folder with a recording, and the plan that is expected."""
    shutil.copytree(package[0], tmp_path / "package")
    (tmp_path / "run").mkdir()
    record(tmp_path / "run")
    return tmp_path / "package", tmp_path / "run", package[1]


def plan_of(folder, root, **options):
    """The greedy plan by a package, and the warnings on the way that are not about the time it takes."""
    variables = environment(root)
    # Kernels are stored beside their sources then.
    variables.pop("NUMBA_CACHE_DIR", None)
    words = ["solve", "loads.npz", *GREEDY, "-o", "plan.json"]
    code, out, err = run(folder, *words, env=variables, **options)
    assert code == 0 and "4 layers: imbalance" in out, err
    lines = err.splitlines()
    assert all(line.startswith("WARNING: ") for line in lines), err
    return (folder / "plan.json").read_text(), [line for line in lines if "compiling kernels" not in line]


def files(root, ending):
    """Files of `KERNELS` that hold their index (nbi) or their code (nbc)."""
    stored = (root / "eplb_opt" / "heuristics" / "__pycache__").glob(f"*.{ending}")
    found = [path for path in stored if path.name.startswith(KERNELS)]
    assert found
    return found


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-200] ^= 4
    path.write_bytes(content)


def replace_by_a_folder(path):
    path.unlink()
    path.mkdir()


def lock(path):
    path.chmod(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        ("nbi", cut),
        ("nbi", replace_by_a_folder),
        ("nbc", flip_a_bit),
        ("nbc", lock),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_damaged_kernels_are_compiled_again(copy, ending, damage):
    root, folder, expected = copy
    for path in files(root, ending):
        damage(path)
    plan, told = plan_of(folder, root, preexec_fn=obey_permissions)
    assert plan == expected
    # Code that cannot be read is no more than code that is not there.
    assert [line[: len(DAMAGED)] for line in told if not line.startswith(NOT_STORED)] == [DAMAGED] * (
        damage is not lock
    )
    # What could be stored again was.
    plan, told = plan_of(folder, root, preexec_fn=obey_permissions)
    assert plan == expected
    assert (told == []) == (damage is not replace_by_a_folder)
    assert not [name for name in names_in(root / "eplb_opt" / "heuristics" / "__pycache__") if ".tmp." in name]


@pytest.mark.slow
def test_the_code_of_another_kernel_is_not_run(copy):
    root, folder, expected = copy
    paths = sorted(files(root, "nbc"))
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, contents[1:] + contents[:1], strict=True):
        path.write_bytes(content)
    assert plan_of(folder, root)[0] == expected


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="capabilities and limits of Linux")
def test_kernels_that_cannot_be_stored_are_compiled_all_the_same(copy):
    import resource

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    root, folder, expected = copy
    for path in files(root, "nbc"):
        path.unlink()
    plan, told = plan_of(folder, root, preexec_fn=limited)
    assert plan == expected
    assert [line[: len(NOT_STORED)] for line in told] == [NOT_STORED] and "File too large" in told[0]
    assert not [name for name in names_in(root / "eplb_opt" / "heuristics" / "__pycache__") if ".tmp." in name]
