"""Suites: the named cases that methods are measured on, the same in every run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, Protocol, TypeVar
from zlib import crc32

from eplb_opt.arguments import one_of
from eplb_opt.bench.skewed_groups import skewed_groups
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.generate import generate_loads
from eplb_opt.io import read_loads
from eplb_opt.io.files import naming
from eplb_opt.loads import Loads

SUITES = ("layers", "models")

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
    """Loads on a deployment.

    Attributes
    ----------
    family
        The recipe of generated loads and its skew, such as ``"rank 1.2"``; of recorded ones the file's stem.
    loads, deployment
        What is planned, and for which GPUs; the loads have one window.
    origin
        Whether the loads are generated or recorded from real traffic.

    Raises
    ------
    InvalidDeploymentError
        A deployment without room for the experts.
    """

    family: str
    loads: Loads
    deployment: Deployment
    origin: Literal["generated", "real"] = "generated"

    def __post_init__(self) -> None:
        with naming(self.name):
            self.deployment.require_room_for(self.loads.num_experts)

    @property
    def name(self) -> str:
        """Unique in its suite: family, experts x slots x GPUs, and nodes and groups where they bind."""
        deployment = self.deployment
        name = f"{_dashed(self.family)}-{_shape(self.loads.num_experts, deployment.num_slots, deployment.num_gpus)}"
        if deployment.hierarchical:
            name += f"-{deployment.num_nodes}nodes-{deployment.num_groups}groups"
        return name


def suite(name: str, recordings: Sequence[str | os.PathLike[str]] = ()) -> list[Case]:
    """The cases of a suite.

    Parameters
    ----------
    name
        ``"layers"``: single layers of many shapes and skews. ``"models"``: models of 58 layers x 256 experts.
    recordings
        Files of recorded loads; ``"models"`` has its deployments for each of them too.

    Raises
    ------
    InvalidArgumentError
        An unknown suite, or recordings that the suite has no use for or that are named alike.
    InvalidLoadsError, FileFormatError
        A recording that cannot be read.
    InvalidDeploymentError
        A recording with more experts than slots.
    """
    one_of("suite", name, SUITES)
    if name == "models":
        return _models(recordings)
    if recordings:
        raise InvalidArgumentError(f"{recordings[0]}: suite='layers' is all generated; recordings go with 'models'")
    return _layers()


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


def _models(recordings: Sequence[str | os.PathLike[str]]) -> list[Case]:
    # What `eplb-opt generate -o loads.json --skew 0.8` writes.
    loads = generate_loads(skew=0.8)
    cases = [Case("lognormal 0.8", loads, deployment) for deployment in _MODEL_DEPLOYMENTS]
    for path in recordings:
        recorded = read_loads(path)
        named = [Case(Path(path).stem, recorded, deployment, "real") for deployment in _MODEL_DEPLOYMENTS]
        if named[0].name in {case.name for case in cases}:
            raise InvalidArgumentError(f"{path} would make another case {named[0].name}; give the file another name")
        cases += named
    return cases


def _matches(name: str, text: str) -> bool:
    return text in name or fnmatchcase(name, text)


def _dashed(words: str) -> str:
    return words.replace(" ", "-")


def _shape(experts: int, slots: int, gpus: int) -> str:
    return f"{experts}x{slots}x{gpus}"
