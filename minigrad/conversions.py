"""The methods of a Tensor that change its dtype, look at its memory, or hand it to other libraries.

A conversion that changes nothing returns the very same object, as in PyTorch.
"""

from __future__ import annotations

from builtins import bool as Bool
from builtins import int as Integer
from typing import Any

import numpy as np

from . import dtypes, gpu, ops
from .autograd import geometry
from .autograd import node as graph
from .device import NO_ACCELERATOR, cpu, cuda_device
from .layout import contiguous_format, is_in_format, layout, memory_format, strided
from .storage import TypedStorage, UntypedStorage

Tensor = Any


class Conversions:
    """A part of Tensor."""

    __slots__ = ()
    _array: Any
    requires_grad: Any
    is_sparse, is_quantized, is_meta, is_mkldnn, is_mps, is_xpu = (False,) * 6

    # --- what it is ---

    @property
    def layout(self) -> layout:
        """How the memory is organised: always `strided`."""
        return strided

    @property
    def itemsize(self) -> Integer:
        """Bytes per element."""
        return int(self._array.itemsize)

    @property
    def nbytes(self) -> Integer:
        """Bytes of all elements."""
        return int(self._array.nbytes)

    @property
    def real(self) -> Tensor:
        """The real part: the tensor itself."""
        return self

    @property
    def imag(self) -> Tensor:
        """RuntimeError: there are no complex tensors."""
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")

    def ndimension(self) -> Integer:
        """The number of dimensions."""
        return int(self._array.ndim)

    def is_floating_point(self) -> Bool:
        """Whether the dtype is floating-point."""
        return bool(self._array.dtype.kind == "f")

    def is_complex(self) -> Bool:
        """Whether the dtype is complex: never."""
        return False

    def is_conj(self) -> Bool:
        """Whether this is a view of conjugates: never."""
        return False

    def is_signed(self) -> Bool:
        """Whether the dtype has negative numbers."""
        return bool(self._array.dtype.kind in "fi")

    def is_nonzero(self) -> Bool:
        """Whether the only element is not zero; RuntimeError if there is not exactly one."""
        return bool(self)

    def is_same_size(self, other: Tensor) -> Bool:
        """Whether the shapes are equal."""
        return bool(self._array.shape == other._array.shape)

    def conj(self) -> Tensor:
        """The conjugate: the tensor itself, as it is real."""
        return self

    resolve_conj = resolve_neg = conj

    @property
    def is_cuda(self) -> Bool:
        """Whether the memory is a GPU's."""
        return not isinstance(self._array, np.ndarray)

    def get_device(self) -> Integer:
        """The number of the GPU; -1 on the CPU."""
        index = gpu.index_of(self._array)
        return -1 if index is None else index

    # --- its memory ---

    def stride(self, dim: Integer | None = None) -> Any:
        """Steps in memory, in elements, to the next position of each dimension (or of `dim`)."""
        steps = geometry.element_strides(self._array)
        return steps if dim is None else steps[ops.dims.wrap_dim(dim, self._array.ndim)]

    def is_contiguous(self, memory_format: memory_format = contiguous_format) -> Bool:
        """Whether the elements lie in memory in row-major order, or in another format's."""
        return is_in_format(self._array, memory_format)

    def is_set_to(self, tensor: Tensor) -> Bool:
        """Whether both are the same elements of the same memory."""
        mine, theirs = self._array, tensor._array
        return (
            geometry.span(mine) == geometry.span(theirs)
            and geometry.address(mine) == geometry.address(theirs)
            and bool(mine.shape == theirs.shape and mine.strides == theirs.strides)
        )

    def untyped_storage(self) -> UntypedStorage:
        """The bytes of the memory that this tensor and its views share."""
        return UntypedStorage(self._array)

    def storage(self) -> TypedStorage:
        """The elements of the memory that this tensor and its views share."""
        return TypedStorage(self._array)

    def share_memory_(self) -> Tensor:
        """NotImplementedError: memory is not shared between processes."""
        raise NotImplementedError(
            "share_memory_() is not supported: minigrad does not share memory between processes; "
            "hand arrays over by multiprocessing.shared_memory"
        )

    def is_shared(self) -> Bool:
        """Whether other processes see the memory: never."""
        return False

    def is_pinned(self, device: Any = None) -> Bool:
        """Whether the memory is locked for copies to a GPU."""
        return gpu.is_pinned(self._array)

    def pin_memory(self, device: Any = None) -> Tensor:
        """A copy in memory that is locked for copies to a GPU; RuntimeError if there is none."""
        if not gpu.device_count():
            raise RuntimeError(NO_ACCELERATOR)
        if self.is_cuda:
            raise RuntimeError(
                f"cannot pin 'torch.cuda.{self.type().rpartition('.')[2]}' only dense CPU tensors "
                "can be pinned"
            )
        return self if self.is_pinned() else graph.wrap(gpu.pinned(self._array))

    # --- other dtypes and devices ---

    def new_tensor(self, data: Any, *, dtype: Any = None, device: Any = None,
                   requires_grad: Bool = False) -> Tensor:  # fmt: skip
        """`tensor(data)` in this Tensor's dtype."""
        wanted = dtypes.from_numpy(self._array.dtype) if dtype is None else dtype
        place = self.device if device is None else device  # type: ignore[attr-defined]
        return ops.tensor(data, dtype=wanted, device=place, requires_grad=requires_grad)

    def new(self, *args: Any) -> Tensor:
        """PyTorch's first constructor in this Tensor's dtype: sizes, or one sequence of values."""
        return ops.new_legacy(self._array.dtype, args).to(self.device)  # type: ignore[attr-defined]

    def type(self, dtype: Any = None, non_blocking: Bool = False) -> Any:
        """The name of the tensor's type, or the tensor in another (`torch.DoubleTensor`, its name,
        or a dtype)."""
        if dtype is None:
            place = "cuda." if self.is_cuda else ""
            return f"torch.{place}{dtypes.scalar_name(self._array.dtype)}Tensor"
        return ops.to(self, dtype if isinstance(dtype, dtypes.dtype) else ops.dtype_named(dtype))

    def type_as(self, other: Tensor) -> Tensor:
        """This Tensor in the dtype of another."""
        return ops.to(self, dtypes.from_numpy(other._array.dtype))

    def cpu(self, memory_format: memory_format | None = None) -> Tensor:
        """This Tensor if its memory is the CPU's already, else a copy there."""
        return ops.to(self, device=cpu, memory_format=memory_format)

    def cuda(self, device: Any = None, non_blocking: Bool = False) -> Tensor:
        """A copy on a GPU, or this Tensor if it is there; AssertionError if there is none."""
        return ops.to(self, device=cuda_device(device))

    def float(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.float32, memory_format=memory_format)

    def double(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.float64, memory_format=memory_format)

    def half(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.float16, memory_format=memory_format)

    def long(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.int64, memory_format=memory_format)

    def int(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.int32, memory_format=memory_format)

    def short(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.int16, memory_format=memory_format)

    def byte(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.uint8, memory_format=memory_format)

    def char(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.int8, memory_format=memory_format)

    def bool(self, memory_format: memory_format | None = None) -> Tensor:
        return ops.to(self, dtypes.bool, memory_format=memory_format)

    # --- other libraries ---

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: Bool = False) -> Any:
        """What NumPy's functions on Tensors return: a Tensor again; truth values as uint8."""
        values = np.asarray(array)
        return graph.wrap(values.astype(np.uint8) if values.dtype.kind == "b" else values)

    def __dlpack__(
        self, *, stream: Any = -1, max_version: tuple[Integer, Integer] | None = None,
        dl_device: Any = None, copy: Bool | None = None,
    ) -> Any:  # fmt: skip
        """A capsule with this memory for another library; BufferError if a gradient is required."""
        return ops.to_dlpack(
            self, stream=stream, max_version=max_version, dl_device=dl_device, copy=copy
        )

    def __dlpack_device__(self) -> tuple[Integer, Integer]:
        return ops.exchange.CPU
