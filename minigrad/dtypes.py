"""PyTorch's dtypes, and its rules for what dtype a result has.

NumPy and PyTorch disagree here: NumPy turns int64 with float32 into float64, PyTorch into float32;
PyTorch lets a Python number, and a 0-d tensor beside tensors with dimensions, decide only the
*category* (bool < integer < float) of a result, never its width within the category.
Inside the engine every dtype is NumPy's; the class `dtype` is what users see and print.
"""

from __future__ import annotations

import builtins
from functools import cache
from typing import Any

import numpy as np

NumpyDtype = np.dtype[Any]


class dtype:
    """An element type such as `minigrad.float32`; `str(dtype)` is its full name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.numpy = np.dtype(name)
        self.is_floating_point = self.numpy.kind == "f"
        self.is_signed = self.numpy.kind in "fi"
        self.is_complex = False
        self.itemsize = self.numpy.itemsize

    def __repr__(self) -> str:
        return f"minigrad.{self._name}"

    def __reduce__(self) -> str:
        return self._name


float16 = half = dtype("float16")
float32 = float = dtype("float32")
float64 = double = dtype("float64")
uint8 = dtype("uint8")
int8 = dtype("int8")
int16 = short = dtype("int16")
int32 = int = dtype("int32")
int64 = long = dtype("int64")
bool = dtype("bool")

BOOL, INT64 = bool.numpy, int64.numpy
FLOAT16, FLOAT32, FLOAT64 = float16.numpy, float32.numpy, float64.numpy
_BY_NUMPY = {
    d.numpy: d for d in (bool, uint8, int8, int16, int32, int64, float16, float32, float64)
}
SCALAR_NAMES = {  # C++ names, which PyTorch's error messages use
    bool: "Bool", uint8: "Byte", int8: "Char", int16: "Short", int32: "Int", int64: "Long",
    float16: "Half", float32: "Float", float64: "Double",
}  # fmt: skip
_default = FLOAT32


def from_numpy(numpy_dtype: NumpyDtype) -> dtype:
    """The public dtype of a NumPy dtype; TypeError for one that PyTorch tensors do not have."""
    try:
        return _BY_NUMPY[numpy_dtype]
    except KeyError:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{numpy_dtype.type.__name__}. The only supported types are: "
            "float64, float32, float16, int64, int32, int16, int8, uint8, and bool."
        ) from None


def with_own_dtype(array: Any) -> Any:
    """The array (a view of it) with the one dtype object that minigrad compares with by `is`.

    NumPy has others that equal it: an unpickled array brings its own, and `longlong` is an int64.
    Raises TypeError for a dtype that PyTorch tensors do not have.
    """
    own = from_numpy(array.dtype).numpy
    return array if array.dtype is own else array.view(own)


_OF_PYTHON = {builtins.float: FLOAT64, builtins.int: INT64, builtins.bool: BOOL}


def as_numpy(value: Any, name: str) -> NumpyDtype:
    """The NumPy dtype of an argument `dtype=`: ours, or `float`, `int`, `bool` as in PyTorch."""
    if isinstance(value, dtype):
        return value.numpy
    try:
        return _OF_PYTHON[value]
    except (KeyError, TypeError):
        kind = type(value).__name__
        raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {kind}") from None


def refuse_complex(name: str) -> None:
    """AttributeError if `name` is a dtype of complex numbers, which tensors here do not have."""
    if name in ("complex32", "complex64", "complex128", "chalf", "cfloat", "cdouble"):
        raise AttributeError(f"{name}: {NO_COMPLEX}")


NO_COMPLEX = "complex numbers are not supported: minigrad has real dtypes only; use two tensors"


def scalar_name(numpy_dtype: NumpyDtype) -> str:
    return SCALAR_NAMES[from_numpy(numpy_dtype)]


def default_dtype() -> NumpyDtype:
    """NumPy dtype of new floating-point tensors; float32 unless `set_default_dtype` was called."""
    return _default


def get_default_dtype() -> dtype:
    """The dtype of new floating-point tensors."""
    return from_numpy(_default)


def set_default_dtype(d: dtype) -> None:
    """Make `d` (float16, float32 or float64) the dtype of new floating-point tensors."""
    global _default
    if not (isinstance(d, dtype) and d.is_floating_point):
        raise TypeError("only floating-point types are supported as the default type")
    _default = d.numpy
    combine.cache_clear()


def is_float(numpy_dtype: NumpyDtype) -> Any:
    return numpy_dtype.kind == "f"


@cache
def promote_types_numpy(a: NumpyDtype, b: NumpyDtype) -> NumpyDtype:
    """The dtype that holds both; a float wins over any integer whatever the widths."""
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def number_dtype(value: Any) -> NumpyDtype:
    """The dtype that a Python number stands for."""
    if isinstance(value, (np.bool_, type(True))):
        return BOOL
    return _default if isinstance(value, (np.floating, type(0.5))) else INT64


# An operand's rank in a promotion: Python numbers are weakest, then 0-d tensors.
NUMBER, SCALAR_TENSOR, DIMENSIONED = 0, 1, 2
Operand = tuple[NumpyDtype, Any]


@cache
def combine(*operands: Operand) -> NumpyDtype:
    """The common dtype of operands given as (dtype, rank)."""
    result: NumpyDtype | None = None
    for rank in (DIMENSIONED, SCALAR_TENSOR, NUMBER):
        ranked: NumpyDtype | None = None
        for d, r in operands:
            if r == rank:
                ranked = d if ranked is None else promote_types_numpy(ranked, d)
        if result is None:
            result = ranked
        elif ranked is not None and _category(ranked) > _category(result):
            result = promote_types_numpy(result, ranked)
    assert result is not None
    return result


def _category(d: NumpyDtype) -> Any:
    return "bif".index("i" if d.kind == "u" else d.kind)


def can_cast(from_: dtype, to: dtype) -> Any:
    """Whether PyTorch lets a result of dtype `from_` be written in place into a tensor of `to`."""
    return castable(from_.numpy, to.numpy)


def castable(source: NumpyDtype, target: NumpyDtype) -> Any:
    return _category(source) <= _category(target)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that both promote to, by PyTorch's table."""
    return from_numpy(promote_types_numpy(type1.numpy, type2.numpy))
