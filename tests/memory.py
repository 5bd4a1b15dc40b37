"""Where tensors lie in memory, and which of them share it."""

from __future__ import annotations

import itertools
from typing import Any

from oracle import flat, stride


def memory(tensor: Any) -> tuple[Any, ...]:
    """Where a tensor lies in its memory. (What is no view of a tensor that lives begins it.)"""
    place = tensor.storage_offset() if tensor._is_view() and tensor.numel() else 0
    return stride(tensor), place


def size_of_memory(tensor: Any) -> int:
    return tensor.untyped_storage().nbytes() if tensor.numel() else 0


def shared(tensors: list[Any]) -> set[tuple[int, int]]:
    """The pairs of tensors in one memory; those without elements lie nowhere."""
    places = [t.untyped_storage().data_ptr() if t.numel() else -i for i, t in enumerate(tensors)]
    pairs = itertools.combinations(enumerate(places), 2)
    return {(i, j) for (i, one), (j, other) in pairs if one == other}


def tensors_of(library: Any, value: Any) -> list[Any]:
    return [t for t in flat(value) if isinstance(t, library.Tensor)]


def bits(tensors: list[Any]) -> list[bytes]:
    return [t.numpy(force=True).tobytes() for t in tensors]


def assert_own_memory(gradients: list[Any], others: list[Any], after: str) -> None:
    """Each gradient has memory of its own, no more than it needs."""
    together = shared([*gradients, *others])
    assert not {pair for pair in together if pair[0] < len(gradients)}, after
    for g in gradients:
        assert g.untyped_storage().nbytes() == g.numel() * g.element_size(), after
