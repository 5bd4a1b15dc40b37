"""The Tensor: an array of values, and its place in the graph.

    _array            the values: a NumPy array, which views and detached Tensors share
    _requires_grad    whether operations on it are recorded
    _edge             (node, output number) that made it; None for a leaf
    _grad             for a leaf, the sum of the gradients that arrived
    _version_counter  [number of in-place changes], one list for all that share the memory
    _view             for a view, its base (`autograd/inplace.py`)
    hooks             functions to call on its gradient (`autograd/hooks.py`)

The named methods are in `methods.py`, conversions in `conversions.py`. Operators and methods are the ops: `x * W` is
`ops.mul(x, W)` (a row of `ops/arithmetic.py`), which records a node (`autograd/node.py`);
`loss.backward()` walks the nodes (`autograd/engine.py`) until the gradient of `W` is in `W.grad`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import dtypes, gpu, ops, promotion
from .autograd import anomaly, geometry, grad_mode, hooks, inplace, interface
from .autograd import node as graph
from .autograd.hooks import Hooks, RemovableHandle
from .autograd.node import refresh, wrap
from .conversions import Conversions
from .device import cpu, memory_of
from .device import device as Device
from .methods import Methods
from .printing import tensor_repr
from .warn import warn

Op = Callable[..., Any]


class Size(tuple[int, ...]):
    """The shape of a Tensor: a tuple that prints as PyTorch's and knows its number of elements."""

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"

    def numel(self) -> int:
        return int(np.prod(self, dtype=np.int64))

    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + tuple(other))


def _operator(op: Op) -> Op:
    """`op` as an operator: it leaves operands that it does not know to the other side."""

    def operate(self: Any, other: Any) -> Any:
        try:
            return op(self, other)
        except promotion.UnsupportedOperand:
            return NotImplemented

    return operate


class Tensor(Methods, Conversions):
    """A multi-dimensional array that knows how it came about."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_array",
        "_edge",
        "_grad",
        "_requires_grad",
        "_saved_output_nr",
        "_version_counter",
        "_view",
        "hooks",
    )  # fmt: skip
    __array_priority__ = 1000
    __hash__ = object.__hash__
    _array: np.ndarray[Any, Any]
    _edge: tuple[Any, int] | None
    _grad: Tensor | None
    _requires_grad: bool
    _saved_output_nr: int | None
    _version_counter: list[Any] | None
    _view: inplace.View | None
    hooks: Hooks | None

    def __new__(cls, *args: Any, device: Any = None, **kwargs: Any) -> Any:
        if device is not None:
            args = tuple(a.to(device) if isinstance(a, Tensor) else a for a in args)
        made = ops.new_legacy(dtypes.default_dtype(), args, any_dtype=True)
        made = made if device is None else made.to(device)
        return made if cls is Tensor else cls._make_subclass(cls, made)

    @staticmethod
    def _make_subclass(cls: type, data: Any, require_grad: bool = False) -> Any:
        """A `cls` that shares the memory and the version of `data`."""
        made: Any = object.__new__(cls)
        Tensor._become(made, data)
        made._requires_grad = require_grad
        return made

    def _become(self, other: Tensor) -> None:
        """Share the memory of `other`, as a leaf."""
        self._array, self._version_counter = other._array, other._version_counter
        self._requires_grad = False
        self._edge = self._grad = self._view = self._saved_output_nr = self.hooks = None

    def _alias(self) -> Any:
        """A new Tensor on the same memory and version, outside of the graph."""
        alias = object.__new__(Tensor)
        alias._become(self)
        return alias

    def _as_saved_output(self, output_nr: int) -> Any:
        """An alias for the node that makes this Tensor: it does not hold that node."""
        alias = object.__new__(Tensor)
        alias._array, alias._version_counter = self._array, self._version_counter
        alias._requires_grad, alias._saved_output_nr = False, output_nr
        alias._edge = alias._grad = alias._view = alias.hooks = None
        return alias

    def _bump_version(self) -> None:
        """Note that the values were changed in place."""
        counter = self._version_counter
        if counter is None:
            return
        counter[0] += 1
        if anomaly.enabled:
            counter.append((counter[0], anomaly.here()))
            if anomaly.tape is not None:
                anomaly.tape.on_write(self)

    def _refresh_view(self) -> None:
        inplace.refresh_view(self)

    # --- its place in the graph ---

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is to be computed for this Tensor."""
        if inplace.history_is_lost(self):
            return True
        refresh(self)
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise RuntimeError("requires_grad must be a bool")
        if self._edge is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables."
                + ("" if value else " If you want to use a computed variable in a subgraph that doesn't require "
                   "differentiation use var_no_grad = var.detach().")
            )  # fmt: skip
        if value and self._array.dtype.kind != "f":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if value and self._version_counter is None and not grad_mode.is_inference_mode_enabled():
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
            )
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and return the Tensor."""
        if self._edge is not None and requires_grad is True:
            return self
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this Tensor."""
        refresh(self)
        return self._edge is None

    @property
    def grad_fn(self) -> Any:
        """The node of the operation that made this Tensor; None for a leaf."""
        refresh(self)
        return None if self._edge is None else self._edge[0]

    @property
    def output_nr(self) -> int:
        return 0 if self._edge is None else self._edge[1]

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up; None before the first."""
        if self._grad is None and self._edge is not None and not self.retains_grad:
            warn(NON_LEAF_GRAD, UserWarning)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        self._grad = _checked_grad(self, value)
        if anomaly.enabled:
            anomaly.note_grad(self)

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False,
        inputs: Any = None,
    ) -> None:  # fmt: skip
        """Add to `.grad` of each leaf the gradient of this Tensor with respect to it.

        `gradient` has this Tensor's shape and may be left out if it has one element."""
        interface.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory and version, outside of the graph."""
        alias: Tensor = self._alias()
        if anomaly.enabled:
            anomaly.note_alias(self, alias, "detach")
        return alias

    def detach_(self) -> Tensor:
        """Leave the graph in place: become a leaf that needs no gradient. Nothing happens in inference
        mode, where there is no graph."""
        if grad_mode.is_inference_mode_enabled():
            return self
        if self._view is not None:
            raise RuntimeError(DETACH_VIEW)
        self._edge, self._requires_grad = None, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory with a version of its own: changes through it go unnoticed."""
        alias = self._alias()
        alias._version_counter = [0]
        if anomaly.enabled:
            anomaly.note_alias(self, alias, "data")
        return alias

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._requires_grad and value._array.dtype.kind != "f":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex dtype"
            )
        self._array = value._array

    def register_hook(self, hook: Op) -> RemovableHandle:
        """Call `hook(grad)` when this Tensor's gradient is known; it may return another one."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return self._hooks_of_gradient().add("tensor", (self.output_nr, hook))

    def register_post_accumulate_grad_hook(self, hook: Op) -> RemovableHandle:
        """Call `hook(leaf)` each time that `.grad` of this leaf has been updated."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._edge is not None:
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        return self._hooks_of_gradient().add("accumulated", hook)

    def _hooks_of_gradient(self) -> Hooks:
        refresh(self)
        return hooks.of(self if self._edge is None else self._edge[0])

    def retain_grad(self) -> None:
        """Keep the gradient in `.grad` although this Tensor is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._edge is not None:
            self._hooks_of_gradient().retain[self._edge[1]] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this non-leaf."""
        owner = None if self._edge is None else self._edge[0].hooks
        return owner is not None and self.output_nr in owner.retain

    def is_inference(self) -> bool:
        """Whether this Tensor was made in inference mode."""
        return self._version_counter is None

    @property
    def _version(self) -> int:
        if self._version_counter is None:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._version_counter[0]

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None

    # --- its values ---

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return self.shape
        if not self.ndim:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        return self.shape[ops.dims.wrap_dim(dim, self.ndim)]

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.from_numpy(self._array.dtype)

    @property
    def device(self) -> Device:
        """Where the memory is."""
        array = self._array
        return cpu if isinstance(array, np.ndarray) else Device.at(gpu.index_of(array))

    @property
    def ndim(self) -> int:
        return self._array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    def storage_offset(self) -> int:
        """How many elements of the base's memory come before the first of this Tensor."""
        return geometry.storage_offset(self)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return geometry.address(self._array)

    def item(self) -> Any:
        """The one element as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar"
            )
        return self._array.item()

    def tolist(self) -> Any:
        """The elements as Python numbers in nested lists."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """The NumPy array itself: memory is shared, changes to one are seen in the other."""
        if force:
            return gpu.to_host(self._array)
        if self._requires_grad:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        if not isinstance(self._array, np.ndarray):
            raise TypeError(
                f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor "
                "to host memory first."
            )
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        if self._array.size != 1:
            what = "no values" if not self._array.size else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
        return bool(self._array.item())

    def __float__(self) -> float:
        if self._requires_grad:
            warn(SCALAR_WARNING, UserWarning)
        return float(self._single())

    def __complex__(self) -> complex:
        return complex(self.__float__())

    def __int__(self) -> int:
        return int(self._single())

    def __index__(self) -> int:
        if self._array.size != 1 or self._array.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def _single(self) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self._array.item()

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(ops.unbind(self, 0))

    def __reversed__(self) -> Iterator[Tensor]:
        return reversed(list(self))

    def __contains__(self, element: Any) -> bool:
        return bool((self == element).any().item())

    def __format__(self, spec: str) -> str:
        return object.__format__(self, spec) if self._array.ndim else format(self.item(), spec)

    def __repr__(self) -> str:
        name = None
        if inplace.history_is_lost(self):
            name = "Invalid"
        elif self.grad_fn is not None:
            name = self.grad_fn.name().rpartition("::")[2]
        return tensor_repr(
            gpu.to_host(self._array),
            device_suffix=str(self.device) if self.is_cuda else None,
            requires_grad=self._requires_grad,
            grad_fn_name=name,
            default_float=dtypes.default_dtype(),
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._edge is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol "
                "at the moment.  If you were attempting to deepcopy a module, this may be because of a "
                "torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) not in memo:
            memory = geometry.copied_memory(self._array, memo)
            copied = Tensor._make_subclass(type(self), wrap(memory), self._requires_grad)
            copied._grad = None if self._grad is None else self._grad.__deepcopy__(memo)
            copied._bump_version()  # PyTorch writes the values into new memory
            memo[id(self)] = copied
        return memo[id(self)]

    def __copy__(self) -> Any:
        return Tensor._make_subclass(type(self), self, self._requires_grad)

    def __reduce_ex__(self, protocol: Any) -> Any:
        host = np.array(gpu.to_host(self._array))
        place = (str(self.device),) if self.is_cuda else ()
        return _rebuild, (type(self), host, self._requires_grad, *place)

    T = property(ops.reversed_dims)
    mT = property(ops.matrix_transpose)
    mH, H = property(ops.matrix_transpose), property(ops.hermitian)

    # --- operators ---

    __add__ = __radd__ = _operator(ops.arithmetic._add)
    __sub__, __rsub__ = _operator(ops.sub), _operator(ops.rsub)
    __mul__ = __rmul__ = _operator(ops.mul)
    __truediv__, __rtruediv__ = _operator(ops.div), _operator(ops.rdiv)
    __floordiv__, __mod__ = _operator(ops.floor_divide), _operator(ops.remainder)
    __rfloordiv__ = _operator(lambda self, other: ops.floor_divide(other, self))
    __rmod__ = _operator(lambda self, other: ops.remainder(other, self))
    __pow__, __rpow__ = _operator(ops.pow), _operator(ops.rpow)
    __matmul__ = _operator(ops.matmul)
    __rmatmul__ = _operator(lambda self, other: ops.matmul(other, self))
    __neg__, __pos__, __abs__, __invert__ = ops.neg, ops.positive, ops.abs, ops.invert
    __eq__, __ne__ = _operator(ops.eq), _operator(ops.ne)  # type: ignore[assignment]
    __lt__, __le__, __gt__, __ge__ = (_operator(f) for f in (ops.lt, ops.le, ops.gt, ops.ge))
    __and__ = __rand__ = _operator(ops.bitwise_and)
    __or__ = __ror__ = _operator(ops.bitwise_or)
    __xor__ = __rxor__ = _operator(ops.bitwise_xor)
    __lshift__, __rshift__ = _operator(ops.bitwise_left_shift), _operator(ops.bitwise_right_shift)
    __rlshift__, __rrshift__ = _operator(ops.left_shifted_by), _operator(ops.right_shifted_by)
    __ilshift__ = _operator(ops.bitwise_left_shift_)
    __irshift__ = _operator(ops.bitwise_right_shift_)
    __iadd__, __isub__, __imul__ = _operator(ops.add_), _operator(ops.sub_), _operator(ops.mul_)
    __itruediv__, __ipow__ = _operator(ops.div_), _operator(ops.pow_)
    __ifloordiv__, __imod__ = _operator(ops.floor_divide_), _operator(ops.remainder_)
    __iand__, __ior__ = _operator(ops.bitwise_and_), _operator(ops.bitwise_or_)
    __ixor__ = _operator(ops.bitwise_xor_)
    __getitem__, __setitem__ = ops.getitem, ops.setitem

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")


def _checked_grad(tensor: Tensor, value: Any) -> Tensor | None:
    if value is None:
        return None
    if not isinstance(value, Tensor):
        kind = "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(
            f"assigned grad expected to be a Tensor or None but got grad of type {kind}"
        )
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    if value._array.dtype is not tensor._array.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{_cpp(value)}' to a tensor with grad_dtype "
            f"'{dtypes.scalar_name(tensor._array.dtype)}'. The gradient must match the tensor's grad_dtype "
            "(defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, "
            "or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its "
            "gradient may break downstream systems that assume they match."
        )
    if value._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor of size "
            f"'{list(tensor._array.shape)}'. Please ensure that the gradient and the tensor are the same size"
        )
    return value


def _cpp(tensor: Tensor) -> str:
    return ops.linalg.CPP_NAMES[tensor._array.dtype.name]


def _rebuild(cls: type, array: Any, requires_grad: bool, device: str = "cpu") -> Any:
    placed = gpu.placed(dtypes.with_own_dtype(array), memory_of(device))
    return Tensor._make_subclass(cls, wrap(placed), requires_grad)


DETACH_VIEW = (
    "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
    "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
    "detach_() cannot be called on these gradients. To fix this error, please refer to the "
    "Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
)
SCALAR_WARNING = (
    "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
    "Consider using tensor.detach() first."
)
NON_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't "
    "be populated during autograd.backward(). If you indeed want the .grad field to be populated for a "
    "non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by "
    "mistake, make sure you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for "
    "more information."
)
graph.Tensor = Tensor
