"""Lines of C: what each of NumPy's functions is in a kernel's text, and in which dtypes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import gpu

BOOL = np.dtype(bool)
FLOAT32 = np.dtype(np.float32)
C_NAMES = {"?": "bool", "e": "float16", "f": "float", "d": "double"}  # by a dtype's `char`
OPERATORS = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.divide: "{} / {}",
    np.negative: "-{}", np.square: "{0} * {0}", np.reciprocal: "1 / {}",
    np.less: "{} < {}", np.less_equal: "{} <= {}", np.greater: "{} > {}",
    np.greater_equal: "{} >= {}", np.equal: "{} == {}", np.not_equal: "{} != {}",
    np.logical_not: "{} == 0", np.logical_and: "({} != 0) & ({} != 0)",
    np.logical_or: "({} != 0) | ({} != 0)", np.invert: "{} == 0", np.bitwise_and: "{} & {}",
    np.bitwise_or: "{} | {}", np.bitwise_xor: "{} ^ {}",
}  # fmt: skip
FUNCTIONS = {
    np.exp: "exp", np.exp2: "exp2", np.expm1: "expm1", np.log: "log", np.log2: "log2",
    np.log10: "log10", np.log1p: "log1p", np.sqrt: "sqrt", np.power: "pow", np.absolute: "fabs",
    np.sin: "sin", np.cos: "cos", np.tan: "tan", np.arcsin: "asin", np.arccos: "acos",
    np.arctan: "atan", np.arctan2: "atan2", np.sinh: "sinh", np.cosh: "cosh", np.tanh: "tanh",
    np.arcsinh: "asinh", np.arccosh: "acosh", np.arctanh: "atanh", np.floor: "floor",
    np.ceil: "ceil", np.trunc: "trunc", np.copysign: "copysign", np.hypot: "hypot",
    np.isnan: "isnan", np.isinf: "isinf", np.isfinite: "isfinite", np.maximum: "larger",
    np.minimum: "smaller", np.sign: "sign_of", np.logaddexp: "log_add_exp",
}  # fmt: skip
WRITTEN = {*OPERATORS, *FUNCTIONS}
PREAMBLE = """
template <typename T> __device__ T either_of(bool c, T a, T b) { return c ? a : b; }
template <typename T> __device__ T larger(T a, T b) { return a >= b || a != a ? a : b; }
template <typename T> __device__ T smaller(T a, T b) { return a <= b || a != a ? a : b; }
template <typename T> __device__ T sign_of(T a) { return a > 0 ? T(1) : a < 0 ? T(-1) : a - a; }
template <typename T> __device__ T log_add_exp(T a, T b) {
    return a == b ? a + log(T(2)) : larger(a, b) + log1p(exp(-fabs(a - b)));
}
"""  # the first three keep nan, as NumPy does


@functools.lru_cache(maxsize=4096)
def loop(ufunc: Any, kinds: tuple[Any, ...], dtype: Any) -> tuple[Any, ...]:
    """The dtypes in which NumPy would compute this: of the inputs, and of the result."""
    dtypes = [np.dtype(k) if isinstance(k, str) else k for k in kinds]
    options = {} if dtype is None else {"signature": (*[None] * ufunc.nin, np.dtype(dtype))}
    found: tuple[Any, ...] = ufunc.resolve_dtypes((*dtypes, None), **options)
    return found


@functools.lru_cache(maxsize=64)
def name_of(dtype: Any) -> str:
    """CuPy's name of a dtype; NumPy works it out each time."""
    return str(dtype.name)


def kind_of(value: Any) -> Any:
    """What decides about dtypes: that of an array, or the type of a Python number."""
    if hasattr(value, "dtype"):
        return value.dtype.char
    return "?" if isinstance(value, bool) else type(value)


@functools.lru_cache(maxsize=4096)
def compiled(given: str, out: str, text: str, name: str) -> Callable[..., Any]:
    name = f"minigrad_{name}"
    kernel: Callable[..., Any] = gpu.cupy().ElementwiseKernel(
        given, out, text, name, preamble=PREAMBLE
    )
    return kernel
