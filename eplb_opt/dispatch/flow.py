"""Maximum flow: what experts with several replicas can send to the GPUs that hold them, in whole numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise


class MaximumFlow:
    """A maximum flow from experts to GPUs with room.

    Experts and the GPUs between them are mostly a forest. There a leaf is done with at once: a GPU takes what it can of
    the only expert that it has, an expert sends what it can to the only GPU that it has left. Where there are cycles
    that may not be the best, and shortest augmenting paths make it so (J. Edmonds and R. M. Karp, Journal of the ACM
    19, 248-264 (1972), https://doi.org/10.1145/321694.321699).

    Attributes
    ----------
    left
        What each expert cannot send anywhere.
    room
        What each GPU could still take.
    flows
        What each expert sends to each of its GPUs.
    """

    def __init__(self, loads: Sequence[int], gpus_of: Sequence[Sequence[int]], room: Sequence[int]) -> None:
        self.left, self.room = list(loads), list(room)
        self.flows = [dict.fromkeys(gpus, 0) for gpus in gpus_of]
        self._experts_of: dict[int, list[int]] = {}
        for expert, gpus in enumerate(gpus_of):
            for gpu in gpus:
                self._experts_of.setdefault(gpu, []).append(expert)
        for expert, gpu in self._leaves_first():
            self._send(expert, gpu, min(self.left[expert], self.room[gpu]))
        for expert in range(len(self.left)):
            while self.left[expert] and self._augment(expert):
                pass

    def cut(self) -> list[int]:
        """Experts whose GPUs have no room for all that they and others send there; empty where everything flows.

        They are all that can be reached from those with something left, so their GPUs are full, and serve them alone.
        """
        reached, _, _ = self._reach([expert for expert, left in enumerate(self.left) if left])
        return list(reached)

    def _send(self, expert: int, gpu: int, amount: int) -> None:
        self.flows[expert][gpu] += amount
        self.left[expert] -= amount
        self.room[gpu] -= amount

    def _leaves_first(self) -> Iterator[tuple[int, int]]:
        """All pairs of an expert and a GPU, each one that is alone with an end of it before those of cycles."""
        gpus = [set(flows) for flows in self.flows]
        experts = {gpu: set(held) for gpu, held in self._experts_of.items()}
        leaves = deque([("expert", e) for e, held in enumerate(gpus) if len(held) == 1])
        leaves.extend(("gpu", gpu) for gpu, held in experts.items() if len(held) == 1)
        for expert, flows in enumerate(self.flows):
            for gpu in flows:
                while leaves:
                    kind, leaf = leaves.popleft()
                    ends = gpus[leaf] if kind == "expert" else experts[leaf]
                    if ends:
                        (end,) = ends
                        yield self._take_out(*((leaf, end) if kind == "expert" else (end, leaf)), gpus, experts, leaves)
                if gpu in gpus[expert]:
                    yield self._take_out(expert, gpu, gpus, experts, leaves)

    @staticmethod
    def _take_out(
        expert: int,
        gpu: int,
        gpus: list[set[int]],
        experts: dict[int, set[int]],
        leaves: deque[tuple[str, int]],
    ) -> tuple[int, int]:
        gpus[expert].remove(gpu)
        experts[gpu].remove(expert)
        if len(gpus[expert]) == 1:
            leaves.append(("expert", expert))
        if len(experts[gpu]) == 1:
            leaves.append(("gpu", gpu))
        return expert, gpu

    def _augment(self, expert: int) -> bool:
        """Send more of an expert along a shortest path to a GPU with room; whether there is one."""
        sender, receiver, end = self._reach([expert])
        if end is None:
            return False
        path = []
        gpu = end
        while True:
            path.append((receiver[gpu], gpu))
            if receiver[gpu] == expert:
                break
            gpu = sender[receiver[gpu]]
        # On the way each expert but the first gives up as much to one GPU as it sends to the next.
        given = [self.flows[e][g] for (e, _), (_, g) in pairwise(path)]
        amount = min(self.left[expert], self.room[end], *given)
        for e, g in path:
            self._send(e, g, amount)
        for (e, _), (_, g) in pairwise(path):
            self._send(e, g, -amount)
        return True

    def _reach(self, starts: Sequence[int]) -> tuple[dict[int, int], dict[int, int], int | None]:
        """Breadth first: for each expert reached the GPU that it could send less to, for each GPU the expert that could
        send it more, and the first GPU with room, if any. Starts have a GPU of -1."""
        sender, receiver = dict.fromkeys(starts, -1), dict[int, int]()
        queue = deque(starts)
        while queue:
            expert = queue.popleft()
            for gpu in self.flows[expert]:
                if gpu in receiver:
                    continue
                receiver[gpu] = expert
                if self.room[gpu]:
                    return sender, receiver, gpu
                for other in self._experts_of[gpu]:
                    if other not in sender and self.flows[other][gpu]:
                        sender[other] = gpu
                        queue.append(other)
        return sender, receiver, None
