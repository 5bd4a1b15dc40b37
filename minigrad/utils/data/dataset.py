"""Datasets: where samples come from.

A map-style `Dataset` answers `dataset[i]` and usually `len(dataset)`; an `IterableDataset` yields
its samples in an order of its own. The classes here wrap tensors, join datasets, cut them up, and
split them at random. A dataset that can fetch many samples faster than one at a time defines
`__getitems__(indices)`, which returns a list of samples; the loader uses it when it is there.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ...warn import warn
from . import _random

if TYPE_CHECKING:
    from ...random import Generator
    from ...tensor import Tensor

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Map-style dataset: a subclass defines `__getitem__`, and `__len__` if it has a length."""

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Dataset that is only read in its own order: a subclass defines `__iter__`."""

    def __add__(self, other: Dataset[T_co]) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Samples are the rows of tensors: `dataset[i]` is `(first[i], second[i], ...)`.

    All tensors have the same length along their first dimension, or AssertionError is raised.
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensors[0].size(0) != tensor.size(0) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Any]):
    """Datasets side by side: a sample is a tuple of their samples, or with keywords a dict.

    `StackDataset(images, texts)[i]` is `(images[i], texts[i])`, `StackDataset(image=images,
    text=texts)[i]` is `{"image": images[i], "text": texts[i]}`. Raises ValueError if the lengths
    differ, or if datasets are given in both ways or in none.
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like "
                "input/output, but both types are given."
            )
        self.datasets = args or kwargs
        if not self.datasets:
            raise ValueError("At least one dataset should be passed")
        self._length, *others = map(_length, args or kwargs.values())
        if any(length != self._length for length in others):
            raise ValueError("Size mismatch between datasets")

    def __getitem__(self, index: Any) -> Any:
        return self._sample([dataset[index] for dataset in self._columns()])

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        columns = [_samples(dataset, indices) for dataset in self._columns()]
        return [self._sample(row) for row in zip(*columns, strict=True)]

    def _columns(self) -> Iterable[Any]:
        return self.datasets.values() if isinstance(self.datasets, dict) else self.datasets

    def _sample(self, row: Iterable[Any]) -> Any:
        if isinstance(self.datasets, dict):
            return dict(zip(self.datasets, row, strict=True))
        return tuple(row)

    def __len__(self) -> int:
        return self._length


def _samples(dataset: Any, indices: list[Any]) -> list[Any]:
    """The samples at `indices`, fetched at once by a dataset that can."""
    many = getattr(dataset, "__getitems__", None)
    if not callable(many):
        return [dataset[i] for i in indices]
    samples = many(indices)
    if len(samples) != len(indices):
        raise ValueError(
            f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(samples)}"
        )
    return cast("list[Any]", samples)


class ConcatDataset(Dataset[T_co]):
    """Several map-style datasets, one after the other."""

    datasets: list[Dataset[T_co]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(_length(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> T_co:
        if idx < 0:
            if -idx > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            idx += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, idx)
        before = self.cumulative_sizes[which - 1] if which > 0 else 0
        return self.datasets[which][idx - before]


class ChainDataset(IterableDataset[Any]):
    """Several iterable datasets, read one after the other."""

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[IterableDataset[Any]]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(_length(dataset) for dataset in self._checked())


class Subset(Dataset[T_co]):
    """The samples of `dataset` at `indices`, in that order.

    A subclass that overrides `__getitem__` must override `__getitems__` too, which is what the
    loader calls; otherwise NotImplementedError is raised.
    """

    dataset: Dataset[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        kind = type(self)
        overrides_one = kind.__getitem__ is not Subset.__getitem__
        if overrides_one and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(_SUBSET_ADVICE.format(kind.__name__))

    def __getitem__(self, idx: Any) -> T_co:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        chosen = [self.indices[i] for i in indices]
        many = getattr(self.dataset, "__getitems__", None)
        if callable(many):
            return cast("list[T_co]", many(chosen))
        return [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)


_SUBSET_ADVICE = (
    "{} overrides __getitem__ but not __getitems__. "
    "When subclassing Subset and overriding __getitem__, you must also override "
    "__getitems__ to ensure DataLoader works correctly with your custom logic. "
    "A simple implementation:\n\n"
    "def __getitems__(self, indices):\n"
    "    return [self.__getitem__(idx) for idx in indices]"
)


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T_co]]:
    """Cuts `dataset` at random into subsets that share no sample.

    `lengths` are counts that sum to `len(dataset)`, or fractions that sum to 1: each is then
    rounded down, and what remains is dealt out one by one from the first subset on. One
    permutation is drawn from `generator` (by default the global one).

    Raises ValueError for a fraction outside 0 to 1, or counts with a different sum.
    """
    total = _length(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _counts_from_fractions(lengths, total)
    if sum(lengths) != total:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    counts = cast("Sequence[int]", lengths)
    indices = _random.permutation(total, generator).tolist()
    ends = itertools.accumulate(counts)
    return [
        Subset(dataset, indices[end - count : end]) for end, count in zip(ends, counts, strict=True)
    ]


def _counts_from_fractions(fractions: Sequence[float], total: int) -> list[int]:
    for i, fraction in enumerate(fractions):
        if fraction < 0 or fraction > 1:
            raise ValueError(f"Fraction at index {i} is not between 0 and 1")
    counts = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(counts)):
        counts[i % len(counts)] += 1
    for i, count in enumerate(counts):
        if count == 0:
            message = f"Length of split at index {i} is 0. This might result in an empty dataset."
            warn(message)
    return counts


def _length(dataset: Any) -> int:
    """`len`, for datasets: their base class does not promise one, and Python then says so."""
    return len(dataset)
