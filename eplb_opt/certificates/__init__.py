"""Certificates: what proves a lower bound, as plain data, and a checker that uses no code of what found it.

`check` (in ``check.py``) is the only way in. It takes plain data: a certificate, loads, and the rules of a deployment.
Nothing here imports another part of the package, so whoever doubts a bound has this folder to read, and no solver.
Everything is exact: loads are fractions, multiplied by the least common multiple of all possible counts, so that loads
of slots are integers.

A certificate is a JSON object about one layer. ``"bound"`` is the number that it proves, such as ``"590/3"``: no plan
is worth less. ``"argument"`` names the proof. There is a table of arguments for one window in ``arguments.py``, and one
for several windows in ``check.py``: a new argument is a new file and a line there.

One window
----------
Bound and loads are in tokens. Each argument shows that a max load below the bound is impossible.

``"mean"`` (``counts.py``)
    GPU loads sum to the total load.
``"nodes"`` (``counts.py``)
    A node carries its groups. Whatever the partition of n s groups into sets of s, some set holds q + 1 of the n q + 1
    heaviest, and for s = 2 the i-th heaviest or a heavier one has the i-th lightest or a heavier one as its partner.
``"few slots"`` (``counts.py``)
    The GPUs in the list ``"gpus"`` have k slots in all, so that they hold no more than k experts and carry no more than
    the k heaviest. The other GPUs cannot carry the rest.
``"counts"`` (``counts.py``)
    Below the bound each expert needs replicas, and these need more slots than there are, or than a node has. A replica
    shares its GPU with other slots, at least the lightest that are possible: that raises the needs, until nothing
    changes. Or GPUs or nodes cannot carry all loads.
``"weighting"`` (``weighting.py``)
    ``"buckets"``, ``"scale"``, ``"starts"``, ``"weights"``. A slot load of x tokens falls into bucket
    ``floor(buckets x / scale)``. A bucket weighs what the last of ``starts`` that is not above it weighs, and 0 below
    the first. A dynamic program over slots and buckets finds the most that fits on a GPU below the bound, one over
    experts and counts the least that all slots weigh together. If GPUs cannot carry that, there is no plan.
``"weightings"`` (``weighting.py``)
    ``"parts"`` of all counts, which begin as one part. Either an expert and a number: the part is split into the counts
    with at most so many replicas of the expert, which come next, and those with more. Or the place of one of
    ``"weightings"``, starts and weights, that excludes the part as in ``"weighting"``.
``"pairs"`` (``pairs.py``, ``pair_rows.py``)
    Two slots per GPU: ``"rows"`` of an expert, a count, and what the row counts for. That many replicas of the expert
    would have slots of some load v. If two of these do not fit on a GPU, all slots with at least v need partners of
    their own, light enough for v. Else, where replicas must be distinct, the replicas and all slots too heavy for v are
    on different GPUs. Rows are added up, and the least that all slots weigh together is found as for ``"weighting"``.
    Before that, ``"rounded"`` are more rows, each a sum of rows and of the number of ``"slots"``, which is less what
    experts weigh at their ``"bases"`` (a count for each; 1 where there is none), divided by ``"divisor"`` and rounded
    down with a ``"margin"``; ``"cuts"`` of a sum say what rounded rows before it count for. With ``"parts"`` all counts
    are divided as in ``"weightings"``, and each part has ``"rows"`` and ``"cuts"`` of its own.
``"fillings"`` (``fillings.py``)
    All sets of slots are listed that a GPU can hold below the bound, with enough load for the others to carry the rest.
    With ``"weights"``, rows of an expert, a count and what each of that many replicas weighs: the replicas of any
    counts weigh more than all GPUs could if each held the heaviest set. Without: every choice of a set for each GPU is
    tried, the expert in the fewest sets first. Counts are given up that need more replicas than are in the sets that
    are left.
``"search"`` (``search.py``)
    No numbers: every way to place the slots of a small layer is tried.
``"partition"`` (``partition.py``)
    ``"sets"``: for some sets of groups an argument that a node which takes them is not below the bound, as pairs of the
    set and the argument. The groups cannot be parted into other sets. An argument that is about a higher bound of the
    node says so with a ``"bound"`` of its own.

Few moves
---------
Rules of a deployment can say ``"before"``, a row of slots with -1 where one was empty, and ``"moves"``. The bound is
then about plans with at most so many moves: experts on GPUs that did not hold them. What holds of all plans holds of
these.

``"touched"`` (``touched.py``)
    No numbers. Slots are full and replicas distinct, so a GPU carries less only if an expert moves to it, or one of its
    experts gets a replica elsewhere. GPUs that are hotter than the bound are more than moves can change, or with
    those that have the most room and that moves can change, too hot on average.
``"tolls"`` (``tolls.py``)
    ``"prices"``: for each GPU what a ``"step"`` of load, in tokens, a slot and an arrival cost, as three lists. All
    experts together pay at least what each pays where that is cheapest. What loads below the bound and full slots do
    not pay, arrivals have to: a row about the whole numbers of arrivals on the GPUs. ``"parts"`` of all arrivals begin
    as one part. Either a GPU and a number: the part is split into at most so many arrivals there, which come next, and
    more. Or the place of one of ``"prices"``, whose row no arrivals of the part obey.

GPUs that differ
----------------
Where GPUs differ in slots or speed, the load of a GPU is its tokens / its speed. Arguments say of each GPU what it can
carry below the bound: the sum for ``"mean"``, of the fastest node for ``"nodes"``, on the best GPU for ``"counts"``,
GPU by GPU for ``"touched"`` and ``"tolls"``. All other arguments but ``"few slots"`` and ``"windows"`` and
``"envelope"`` of several windows are about GPUs that are alike.

Several windows
---------------
The bound is an imbalance, the mean or the largest over the windows. Loads of each window are divided by its mean load
of a GPU, so that max loads are imbalances, in the certificates of single windows too.

``"windows"`` (``windows.py``)
    ``"windows"``: a certificate for each window by itself.
``"window partition"`` (``window_partition.py``)
    ``"nodes"``: what is proven of the node that takes a set of groups, as pairs of the set and that. Either a list, a
    certificate of each window, or one certificate of all windows, which is any of these with a ``"bound"`` of its own:
    a layer with that node is not below it, as it is at least as hot. Every partition of the groups, the same in all
    windows, has nodes that are hot enough. Where the mean counts, a certificate of all windows can say ``"lower"``, an
    imbalance of the layer for each window. It is then about partitions whose nodes are at least so hot, by the lists,
    and its regions begin there.
``"envelope"`` (``envelope.py``)
    For the largest imbalance alone: below the bound, each expert needs as many replicas as its hottest window asks for,
    and these are more than there are slots.
``"window weightings"`` (``window_weightings.py``, ``joint_patterns.py``)
    ``"windows"`` as above: imbalances are at least these, or without them at least the mean loads. All that are worth
    less than the bound begin as one region.
    ``"parts"``: either a window and a number, which part the region into imbalances of the window below it, which come
    next, and others. Or the place of one of ``"weightings"`` under which no plan has imbalances of the region: for each
    expert ``"starts"`` of intervals of counts, and ``"weights"`` of a replica at counts of each interval. No set of
    slots that a GPU may hold in the region weighs more than ``"carried"``, which a search through pairs of halves of
    such sets shows: loads are below the region's limits, and where the mean counts, the mean of a GPU's loads, with
    those that are below the region for its lower limits, is below the bound. But all slots together weigh more than
    that on each GPU, whatever the counts.
``"search"`` (``window_search.py``)
    No numbers: every way to place the slots of a small layer is tried with the loads of all windows, node by node for
    each partition of the groups.
"""
