"""The part of a dataset that one of several training processes reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ...random import Generator
from . import _random
from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index of `dataset` from `rank` on, in an order all replicas share.

    The order is a permutation drawn from `seed` + epoch (see `set_epoch`), or 0, 1, 2, ... without
    `shuffle`. All replicas get the same number of indices: the first ones are repeated at the end,
    or with `drop_last` the last ones left out.

    Raises ValueError unless 0 <= rank < num_replicas, RuntimeError if either is not given: there
    are no process groups that could be asked.
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError("Requires distributed package to be available")
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        count = len(dataset)
        self.num_samples = count // num_replicas if drop_last else -(-count // num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        order = itertools.islice(itertools.cycle(self._order()), self.total_size)
        return itertools.islice(order, self.rank, None, self.num_replicas)

    def _order(self) -> list[int]:
        count = len(self.dataset)
        if not self.shuffle:
            return list(range(count))
        generator = Generator().manual_seed(self.seed + self.epoch)
        return [int(i) for i in _random.permutation(count, generator)]

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose another order; called before each epoch, with the same number in all replicas."""
        self.epoch = epoch
