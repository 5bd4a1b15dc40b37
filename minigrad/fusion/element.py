"""Elements: what a function is given in place of arrays, to write down what it does to them.

An Element behaves as an array of CuPy's does: its operators and NumPy's functions add lines to the
`Chain` that it belongs to. Where a function asks for something that lines cannot say, it is a step
of its own, or `NotFused` is raised and the function runs on the arrays themselves.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .. import gpu
from .lines import BOOL

if TYPE_CHECKING:
    from .chain import Chain

IN_PLACE = {"at", "fill_diagonal", "partition", "place", "put", "put_along_axis", "putmask", "sort"}
CREATION = {"arange", "array", "asarray", "eye", "full", "identity", "tri"}  # that take `like=`
WAITING = {"get", "item", "tolist", "tobytes", "dump", "dumps", "set"}


class NotFused(TypeError):
    """What cannot be done to an Element: the function has to run on the arrays."""


class Element(NDArrayOperatorsMixin):
    """One element of an array, or of what is computed from it: a name in a kernel's text."""

    __slots__ = ("chain", "dtype", "name", "shape")
    __array_priority__ = 1000  # above CuPy's

    def __init__(self, chain: Chain, name: str, dtype: Any, shape: tuple[int, ...]) -> None:
        self.chain, self.name, self.dtype, self.shape = chain, name, dtype, shape

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: math.prod(self.shape))
    device = property(lambda self: self.chain.arrays["a0"].device)

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, dtype: Any = None, **more: Any
    ) -> Any:
        if method == "__call__" and not more:
            made = self.chain.apply(ufunc, inputs, dtype)
        elif method in IN_PLACE:
            raise NotFused(f"{ufunc.__name__}.{method}")
        else:
            options = more if dtype is None else more | {"dtype": dtype}
            made = self.chain.call(getattr(ufunc, method), inputs, options)
        return made if out is None else out[0]._become(made)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3:
            return self.chain.choose(*args)
        if function is np.clip:
            return args[0].clip(*args[1:], **kwargs)
        if function in (np.zeros_like, np.ones_like) and len(args) == 1 and not kwargs:
            return self.chain.cast(int(function is np.ones_like), args[0].dtype, args[0].shape)
        if function in (np.empty, np.zeros, np.ones) and len(args) == 2:
            shape = (args[0],) if isinstance(args[0], int) else tuple(args[0])
            return self.chain.cast(int(function is np.ones), np.dtype(args[1]), shape)
        if function.__name__ in IN_PLACE or "out" in kwargs:
            raise NotFused(function.__name__)
        if function.__name__ in CREATION:  # NumPy has taken `like` away
            kwargs = kwargs | {"like": self}
        return self.chain.call(function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        """A method of CuPy's, as a step; T and the like; what says how the memory is laid out."""
        if name.startswith("_") or name in IN_PLACE or name in WAITING:
            raise AttributeError(name)
        value = getattr(self.chain.computed(self), name)
        if callable(value):
            return lambda *args, **kwargs: self.chain.call(method_of, (name, self, *args), kwargs)
        if isinstance(value, gpu.arrays):
            return self.chain.call(operator.attrgetter(name), (self,), {})
        return value

    def __getitem__(self, index: Any) -> Any:
        if _is_whole(index, self.shape):
            return self
        parts = index if isinstance(index, tuple) else (index,)
        if any([getattr(part, "dtype", None) == BOOL for part in parts]):
            raise NotFused("an index of bools, for which the host would wait")
        return self.chain.call(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        if not _is_whole(index, self.shape):
            shape = np.broadcast_to(0, self.shape)[index].shape
            if math.prod(shape) != self.size or getattr(value, "shape", None) != shape:
                raise NotFused("an assignment to a part")
            value = value.reshape(self.shape)  # all of it, without dimensions of size 1
        self.chain.operations += 1
        if not isinstance(value, Element):
            value = self.chain.cast(value, self.dtype, self.shape)
        self._become(value)

    def _become(self, made: Element) -> Element:
        """What `out=` and assignments do: the Element stands for another value from here on."""
        self.chain.stale.update(self.chain.views.get(self.name, ()))
        if made.dtype != self.dtype or made.shape != self.shape:
            if broadcast_shape((made, self)) != self.shape:
                raise NotFused("a result that does not fit")
            made = self.chain.cast(made, self.dtype, self.shape)
        self.name = made.name
        return self

    def fill(self, value: Any) -> None:
        """The method of arrays."""
        self[...] = value

    def astype(self, dtype: Any, order: str = "K", copy: bool = True) -> Any:
        """The method of arrays."""
        dtype = np.dtype(dtype)
        if dtype == self.dtype and not copy:
            return self
        self.chain.operations += 1
        return self.chain.cast(self, dtype, self.shape)

    def copy(self) -> Any:
        """The method of arrays."""
        return self.astype(self.dtype)

    def clip(self, low: Any = None, high: Any = None, out: Element | None = None) -> Any:
        """The method of arrays: one operation of CuPy."""
        made, before = self, self.chain.operations
        if low is not None:
            made = np.maximum(made, low)
        if high is not None:
            made = np.minimum(made, high)
        self.chain.operations = before + 1
        return made if out is None else out._become(made)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotFused("an Element has no values yet")

    def __bool__(self) -> bool:
        raise NotFused("an Element has no values yet")


def _is_whole(index: Any, shape: tuple[int, ...]) -> bool:
    """Whether an index takes all of an array, as it is."""
    if index is ...:
        return True
    parts = index if isinstance(index, tuple) else (index,)
    if any([part is not ... and not isinstance(part, slice) for part in parts]):
        return False
    if any([part is not ... and (part.step or 1) < 0 for part in parts]):
        return False
    return bool(np.broadcast_to(0, shape)[index].shape == shape)


def broadcast_shape(values: Sequence[Any]) -> tuple[int, ...]:
    shapes = {v.shape for v in values if type(v) is Element}
    return shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)


def method_of(name: str, array: Any, *args: Any, **kwargs: Any) -> Any:
    return getattr(array, name)(*args, **kwargs)
