"""Suites: the named cases that methods are measured on, the same in every run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, Protocol, TypeVar
from zlib import crc32

from eplb_opt.arguments import one_of
from eplb_opt.bench.instances import checked
from eplb_opt.bench.skewed_groups import skewed_groups
from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import naming
from eplb_opt.generate import generate_loads
from eplb_opt.io import read_loads
from eplb_opt.io.instances import library_folder, read_instance, read_library, solution_path
from eplb_opt.loads import Loads
from eplb_opt.named_instance import NamedInstance
from eplb_opt.solution import Solution

SUITES = ("layers", "models", "library")

# Family and skew of `generate_loads`.
_FAMILIES = (("lognormal", 0.5), ("lognormal", 1), ("lognormal", 1.5), ("rank", 1), ("rank", 1.2), ("rank", 1.5))
# Experts, slots, GPUs: two, three and four slots per GPU.
_SHAPES = (
    (256, 288, 72),
    (256, 288, 96),
    (256, 288, 144),
    (128, 160, 40),
    (128, 160, 80),
    (64, 96, 32),
    (64, 96, 48),
    (32, 48, 16),
)
# Many slots per GPU; and one expert with a sixth of the load, whose even share of the slots is most of the spare ones.
_SINGLES = (
    ("lognormal", 1, (256, 288, 8)),
    ("rank", 1.2, (256, 288, 8)),
    ("dominant", 0.2, (128, 160, 40)),
)
_MODEL_DEPLOYMENTS = (
    Deployment(num_gpus=32, num_slots=288),
    Deployment(num_gpus=32, num_slots=288, num_nodes=4, num_groups=8),
    Deployment(num_gpus=64, num_slots=320),
    Deployment(num_gpus=72, num_slots=288),
    Deployment(num_gpus=144, num_slots=288),
)


@dataclass(frozen=True)
class Case:
    """Loads on a deployment, and what plans are valued by.

    Attributes
    ----------
    family
        The recipe of generated loads and its skew, such as ``"rank 1.2"``; of recorded ones the file's stem; of
        instances of a library their name.
    loads, deployment, objective
        As in `eplb_opt.solve`.
    origin
        Whether the loads are generated, recorded from real traffic, or those of a library.
    name
        Unique in its suite; default: family, experts x slots x GPUs, and nodes and groups where they bind.
    known
        The best plan and bound that a library has.

    Raises
    ------
    InvalidDeploymentError
        A deployment without room for the experts.
    """

    family: str
    loads: Loads
    deployment: Deployment
    origin: Literal["generated", "real", "library"] = "generated"
    objective: str = "total"
    name: str = ""
    known: Solution | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or _name(self.family, self.loads, self.deployment))
        with naming(self.name):
            self.deployment.require_room_for(self.loads.num_experts)


def dispatched(case: Case, dispatch: Dispatch) -> Case:
    """The case under another dispatch, named after it; what a library knows is not about that.

    Raises
    ------
    InvalidDeploymentError
        A dispatch that asks for nodes, which do not divide the GPUs.
    """
    if dispatch == case.deployment.dispatch:
        return case
    deployment = replace(case.deployment, dispatch=dispatch)
    return replace(case, deployment=deployment, name=f"{case.name}-{dispatch}", known=None)


def _name(family: str, loads: Loads, deployment: Deployment) -> str:
    name = f"{_dashed(family)}-{_shape(loads.num_experts, deployment.num_slots, deployment.num_gpus)}"
    if deployment.hierarchical:
        name += f"-{deployment.num_nodes}nodes-{deployment.num_groups}groups"
    return name


def suite(
    name: str,
    files: Sequence[str | os.PathLike[str]] = (),
    read: Callable[[str | os.PathLike[str]], Loads] = read_loads,
    only: Sequence[str] = (),
) -> list[Case]:
    """The cases of a suite that are wanted.

    Parameters
    ----------
    name
        ``"layers"``: single layers of many shapes and skews. ``"models"``: models of 58 layers x 256 experts.
        ``"library"``: the instances of libraries, and what these know of them.
    files
        For ``"models"`` files of recorded loads, which it has its deployments for too; for ``"library"`` the folders,
        or files of single instances, at least one.
    read
        Loads of one of the recordings for ``"models"``.
    only
        As in `select`. What a library knows of other cases is not checked, as certificates can take half a minute.

    Raises
    ------
    InvalidArgumentError
        An unknown suite, files that the suite has no use for or that make cases of the same name, a library without
        a folder, or a text of `only` that is in no name.
    InvalidLoadsError, FileFormatError
        A file that cannot be read, or a stored solution of a wanted case that is wrong.
    InvalidDeploymentError
        A recording with more experts than slots.
    """
    one_of("suite", name, SUITES)
    if name == "models":
        return select(_models(files, read), only)
    if name == "library":
        return _libraries(files, only)
    if files:
        raise InvalidArgumentError(
            f"{files[0]}: suite='layers' is all generated; recordings go with 'models', instances with 'library'"
        )
    return select(_layers(), only)


class Named(Protocol):
    """Something that can be chosen by name."""

    @property
    def name(self) -> str:
        """Unique among those it is chosen from."""


N = TypeVar("N", bound=Named)


def select(cases: Iterable[N], only: Sequence[str]) -> list[N]:
    """Cases whose names contain one of the texts in `only`, or match one as a pattern with ``*``; all if it is empty.

    Raises
    ------
    InvalidArgumentError
        One of the texts is in no name.
    """
    cases = list(cases)
    for text in only:
        if not any(_matches(case.name, text) for case in cases):
            raise InvalidArgumentError(f"only={text!r} is in no name of a case; names are like {cases[0].name}")
    return [case for case in cases if not only or any(_matches(case.name, text) for text in only)]


def _layers() -> list[Case]:
    recipes = [(family, skew, shape) for family, skew in _FAMILIES for shape in _SHAPES]
    cases = [_layer(*recipe) for recipe in (*recipes, *_SINGLES)]
    for nodes in (2, 4):
        # Per node 2 groups, 8 GPUs, 5 slots per GPU.
        deployment = Deployment(8 * nodes, 40 * nodes, nodes, 2 * nodes)
        cases.append(Case("skewed groups", skewed_groups(nodes, seed=nodes), deployment))
    return cases


def _layer(family: str, skew: float, shape: tuple[int, int, int]) -> Case:
    experts, slots, gpus = shape
    title = f"{family} {skew:g}"
    # A seed of the name: every case has loads of its own, and another case changes none of them.
    seed = crc32(f"{_dashed(title)}-{_shape(*shape)}".encode())
    loads = generate_loads(num_experts=experts, num_layers=1, family=family, skew=skew, seed=seed)
    return Case(title, loads, Deployment(gpus, slots))


def _models(
    recordings: Sequence[str | os.PathLike[str]], read: Callable[[str | os.PathLike[str]], Loads]
) -> list[Case]:
    # What `eplb-opt generate -o loads.json --skew 0.8` writes.
    loads = generate_loads(skew=0.8)
    cases = [Case("lognormal 0.8", loads, deployment) for deployment in _MODEL_DEPLOYMENTS]
    for path in recordings:
        recorded = read(path)
        named = [Case(Path(path).stem, recorded, deployment, "real") for deployment in _MODEL_DEPLOYMENTS]
        if named[0].name in {case.name for case in cases}:
            raise InvalidArgumentError(f"{path} would make another case {named[0].name}; give the file another name")
        cases += named
    return cases


def _libraries(folders: Sequence[str | os.PathLike[str]], only: Sequence[str]) -> list[Case]:
    if not folders:
        raise InvalidArgumentError("suite='library' needs the folder of a library, such as models, or instances")
    instances: dict[str, NamedInstance] = {}
    libraries: dict[str, Path] = {}
    for path in map(Path, folders):
        for named in [read_instance(path)] if path.is_file() else read_library(path):
            if named.name in instances:
                raise InvalidArgumentError(f"{path} would make another case {named.name}; give a library once")
            instances[named.name] = named
            libraries[named.name] = path.parent.parent if path.is_file() else library_folder(path)
    return [_instance(named, libraries[named.name]) for named in select(instances.values(), only)]


def _instance(named: NamedInstance, folder: Path) -> Case:
    known = named.best
    if known is not None and (error := checked(named, known).error) is not None:
        raise FileFormatError(f"{solution_path(named, folder)}: {error}")
    return Case(named.name, named.loads, named.deployment, "library", named.objective, named.name, known)


def _matches(name: str, text: str) -> bool:
    return text in name or fnmatchcase(name, text)


def _dashed(words: str) -> str:
    return words.replace(" ", "-")


def _shape(experts: int, slots: int, gpus: int) -> str:
    return f"{experts}x{slots}x{gpus}"
