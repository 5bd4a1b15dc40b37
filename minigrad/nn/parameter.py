"""Tensors that a module owns: `Parameter` is trained, `Buffer` is only kept and saved.

A lazy module (`modules/lazy.py`) does not know the shapes of its tensors before it has seen an
input. Until then `UninitializedParameter` and `UninitializedBuffer` keep their places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import dtypes, ops
from ..tensor import Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


class Parameter(Tensor):
    """A tensor that becomes one of a module's parameters when assigned to an attribute of it.

    Shares the memory of `data` (by default an empty tensor) and starts a graph of its own. Raises
    RuntimeError if it `requires_grad` and the dtype is no floating-point one.
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = ops.empty(0)
        if requires_grad and not data.is_floating_point():
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        return Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __repr__(self, **options: Any) -> str:
        return "Parameter containing:\n" + super().__repr__(**options)

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _rebuild, (type(self), self.detach(), self.requires_grad)


def _rebuild(cls: type[Parameter], data: Tensor, requires_grad: bool) -> Parameter:
    return cls(data, requires_grad)


class _BufferType(type):
    """`isinstance(tensor, Buffer)` asks for a mark: as in PyTorch, a buffer is a plain tensor."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_BufferType):
    """`Buffer(data, persistent=True)`: a tensor that becomes one of a module's buffers when
    assigned to an attribute of it; with `persistent=False` it is left out of `state_dict`."""

    _is_buffer: bool
    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        data = ops.empty(0) if data is None else data
        buffer: Any = data.detach().requires_grad_(data.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


class UninitializedTensorMixin:
    """What the two uninitialized kinds share: a dtype, but no shape and no values yet.

    The array in the slot `_array` is a stand-in; reading it by that name, as every op does,
    raises ValueError. `materialize` makes the tensor an ordinary one. Casting (`Module.double`)
    and moving are possible before that.
    """

    __slots__ = ()
    cls_to_become: type[Tensor]
    requires_grad: Any

    @property
    def _array(self) -> Any:
        kind = f"torch.nn.parameter.{type(self).__name__}"
        raise ValueError(
            "Attempted to use an uninitialized parameter. This error happens when you are using a "
            f"`LazyModule` or explicitly manipulating `{kind}` objects. When using LazyModules "
            "Call `forward` with a dummy batch to initialize the parameters before calling torch "
            "functions"
        )

    @_array.setter
    def _array(self, array: Any) -> None:
        _slot.__set__(self, array)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary tensor of this shape, whose elements are still to be set.

        Of its own dtype, unless another is given."""
        made = ops.empty(tuple(shape), device=device, dtype=dtype or self.dtype)
        self._array = made._array
        self.__class__ = self.cls_to_become  # type: ignore[assignment]

    @property
    def data(self) -> Tensor:
        """The stand-in: an empty tensor of the right dtype."""
        return ops.empty(0, dtype=self.dtype)

    @data.setter
    def data(self, value: Any) -> None:
        self._array = _slot.__get__(value)

    @property
    def dtype(self) -> Any:
        return dtypes.from_numpy(_slot.__get__(self).dtype)

    @property
    def ndim(self) -> int:
        return 1

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. "
            "This error usually happens in `load_state_dict` when trying to load "
            "an uninitialized parameter into an initialized one. "
            "Call `forward` to initialize the parameters before accessing their attributes."
        )

    def share_memory_(self) -> Any:
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. "
            "Call `forward` to initialize the parameters before calling "
            "`module.share_memory()`."
        )

    def is_floating_point(self) -> bool:
        return self.data.is_floating_point()

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        return self.data.to(*args, **kwargs)

    def cpu(self, *args: Any, **kwargs: Any) -> Any:
        return self.data

    def half(self, *args: Any, **kwargs: Any) -> Any:
        return self.data.half(*args, **kwargs)

    def float(self, *args: Any, **kwargs: Any) -> Any:
        return self.data.float(*args, **kwargs)

    def double(self, *args: Any, **kwargs: Any) -> Any:
        return self.data.double(*args, **kwargs)

    def copy_(self, src: Any, non_blocking: bool = False) -> Any:
        """One without values can only take over from another: nothing happens."""
        if not is_lazy(src):
            raise RuntimeError("materialize() gives this tensor a shape, before a value is copied")
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, None, self.dtype)  # type: ignore[call-arg]
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(self), (self.requires_grad, None, self.dtype)


_slot: Any = Tensor.__dict__["_array"]


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A parameter whose shape a lazy module has still to learn."""

    __slots__ = ()
    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        data = ops.empty(0, device=device, dtype=dtype)
        return Tensor._make_subclass(cls, data, requires_grad)


class UninitializedBuffer(UninitializedTensorMixin, Tensor):  # type: ignore[misc]
    """A buffer whose shape a lazy module has still to learn."""

    __slots__ = ()
    persistent: bool
    cls_to_become = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None,
        persistent: bool = True,
    ) -> Any:  # fmt: skip
        made = Tensor._make_subclass(cls, ops.empty(0, device=device, dtype=dtype), requires_grad)
        made.persistent, made._is_buffer = persistent, True
        return made

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Still without a shape, in another dtype."""
        dtype = self.data.to(*args, **kwargs).dtype
        return UninitializedBuffer(dtype=dtype, persistent=self.persistent)

    def cpu(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def half(self, *args: Any, **kwargs: Any) -> Any:
        return self.to(dtypes.float16)

    def float(self, *args: Any, **kwargs: Any) -> Any:
        return self.to(dtypes.float32)

    def double(self, *args: Any, **kwargs: Any) -> Any:
        return self.to(dtypes.float64)


def is_lazy(param: Any) -> bool:
    """Whether this is a parameter or buffer that is not initialized yet."""
    return isinstance(param, UninitializedTensorMixin)
