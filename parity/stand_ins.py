"""Recording stand-ins for what is replaced by name while a program runs, on both sides."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .record import Recorder

CONSTRUCTORS = ("from_numpy", "FloatTensor", "DoubleTensor", "HalfTensor", "LongTensor",
                "IntTensor", "ByteTensor", "BoolTensor")  # fmt: skip


@contextmanager
def replaced(owner: Any, name: str, stand_in: Any) -> Iterator[None]:
    """`owner.name` is `stand_in` for a while."""
    original, inherited = inspect.getattr_static(owner, name), name not in vars(owner)
    setattr(owner, name, stand_in)
    try:
        yield
    finally:
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


class Constructor:
    """Calls the original and records it; `isinstance(x, torch.FloatTensor)` still works."""

    def __init__(self, recorder: Recorder, name: str, original: Any) -> None:
        self._recorder, self._name, self._original = recorder, name, original

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._recorder.call(self._name, self._original, args, kwargs, sys._getframe(1))

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, self._original)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class Batches:
    """An iterator over a `DataLoader` that records each batch."""

    def __init__(self, recorder: Recorder, original: Any) -> None:
        self._recorder, self._original = recorder, original

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Any:
        return self._recorder.batch(next(self._original))

    def __len__(self) -> int:
        return len(self._original)


def constructors_and_loaders(recorder: Recorder) -> Iterator[AbstractContextManager[None]]:
    """The replacements that both sides need."""
    torch = recorder.side.torch
    for name in CONSTRUCTORS:
        if hasattr(torch, name):
            yield replaced(torch, name, Constructor(recorder, name, getattr(torch, name)))
    loader = torch.utils.data.DataLoader
    begin = loader.__iter__

    def iterate(self: Any) -> Batches:
        return Batches(recorder, begin(self))

    yield replaced(loader, "__iter__", iterate)
    utils = torch.nn.utils
    yield replaced(utils, "clip_grad_norm_", recorder.clipping(utils.clip_grad_norm_))
