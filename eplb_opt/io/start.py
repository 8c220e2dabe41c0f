"""Start lines: what is added to the command of an engine so that it starts with the file of a plan."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from eplb_opt.deployment import Deployment
from eplb_opt.plan import Plan


@dataclass(frozen=True)
class StartLine:
    """What makes an engine take the file of a plan.

    Attributes
    ----------
    lines
        Lines for a shell (for DeepSeek's EPLB: for Python), quoted. ``NODE_RANK``, ``HEAD_NODE`` and ``PORT`` stand for
        what only the user knows; no parser takes the first for a number.
    where
        Where the last of the lines goes, in words.
    notes
        What has to be known about them, a sentence each.
    """

    lines: tuple[str, ...]
    where: str = ""
    notes: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The lines, with everything else as comments: what is pasted does what it says."""
        where = (f"# {self.where}:",) if self.where else ()
        return "\n".join((*where, *self.lines, *(f"# {note}" for note in self.notes)))


def words(*parts: object) -> str:
    """Words of a command, quoted for a shell."""
    return shlex.join(map(str, parts))


def file_word(path: str) -> str:
    """A path that no command takes for an option."""
    return f"./{path}" if path.startswith("-") else path


def node_words(deployment: Deployment, address: str, place: str) -> tuple[object, ...]:
    """Flags that say where a process of several nodes is; none for one node."""
    if deployment.num_nodes == 1:
        return ()
    return ("--nnodes", deployment.num_nodes, "--node-rank", "NODE_RANK", address, place)


def node_notes(deployment: Deployment, place: str) -> tuple[str, ...]:
    """What the placeholders of `node_words` stand for."""
    nodes = deployment.num_nodes
    if nodes == 1:
        return ()
    notes = (f"NODE_RANK is 0 to {nodes - 1}, a number for each node; {place} is where node 0 is reached",)
    if deployment.num_gpus % nodes:
        return (*notes, f"{deployment.num_gpus} GPUs are not the same number on each of {nodes} nodes, as it has to be")
    return notes


def dispatch_notes(plan: Plan, title: str, does: str) -> tuple[str, ...]:
    """That a plan with several replicas was made for another dispatch than the only one of the engine `title`."""
    made_for = plan.deployment.dispatch
    if made_for == does or plan.deployment.num_slots == plan.num_experts:
        return ()
    return (
        f"the plan was made for dispatch {made_for}, and {title} does {does}: loads differ from what was planned; plan "
        f"with --dispatch {does}",
    )


def vllm_ranks(deployment: Deployment) -> tuple[object, ...]:
    """Flags by which vLLM, and vLLM-Ascend, have a rank for each GPU."""
    nodes = node_words(deployment, "--master-addr", "HEAD_NODE")
    return ("--data-parallel-size", deployment.num_gpus, *nodes, "--enable-expert-parallel")


def vllm_notes(deployment: Deployment) -> tuple[str, ...]:
    """What has to be known about `vllm_ranks`."""
    notes = node_notes(deployment, "HEAD_NODE")
    if notes:
        notes = (*notes, "nodes other than 0 are started with --headless as well")
    size = deployment.num_gpus
    return (*notes, f"with --tensor-parallel-size as well, it is the product of the two that has to be {size}")
