"""All that is timed. Each workload is written once, against a torch-like module (`workload.py`).

A new workload is a function in one of these files and a line in the list at its end.
"""

from __future__ import annotations

from arrays import ARRAYS
from documents import LOOPS
from networks import NETWORKS
from overhead import CHAINS, GRAPHS, OVERHEAD
from processes import PROCESSES

WORKLOADS = LOOPS + OVERHEAD + CHAINS + GRAPHS + NETWORKS + ARRAYS + PROCESSES
