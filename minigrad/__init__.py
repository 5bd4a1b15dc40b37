"""minigrad: reverse-mode autograd with PyTorch's behaviour, small enough to be read in an evening.

Change `import torch` to `import minigrad as torch`. To learn how it works, read `tensor.py`, then
`ops/pointwise.py`, `autograd/node.py` and `autograd/engine.py`: that is all that `loss.backward()`
does. The names below are PyTorch's.
"""

import builtins as _builtins
import math as _math
import warnings as _warnings

from . import autograd, backends, cuda, nn, optim, utils
from .autograd.anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)  # fmt: skip
from .device import device
from .dtypes import (
    bool,
    can_cast,
    double,
    dtype,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)  # fmt: skip
from .ops import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    abs,
    add,
    addmm,
    all,
    allclose,
    amax,
    amin,
    any,
    arange,
    argmax,
    argmin,
    as_tensor,
    bernoulli,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    bmm,
    cat,
    ceil,
    chunk,
    clamp,
    clamp_min,
    clone,
    cos,
    div,
    dot,
    empty,
    empty_like,
    eq,
    equal,
    exp,
    eye,
    flatten,
    floor,
    floor_divide,
    from_numpy,
    full,
    full_like,
    ge,
    get_rng_state,
    gt,
    initial_seed,
    isclose,
    isfinite,
    isinf,
    isnan,
    le,
    linspace,
    log,
    logical_and,
    logical_not,
    logical_or,
    lt,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    mm,
    mul,
    mv,
    narrow,
    ne,
    neg,
    normal,
    ones,
    ones_like,
    outer,
    permute,
    pow,
    prod,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    ravel,
    reciprocal,
    relu,
    relu_,
    remainder,
    reshape,
    result_type,
    rsub,
    seed,
    select,
    set_rng_state,
    sigmoid,
    sign,
    sin,
    split,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    sub,
    sum,
    t,
    tanh,
    tensor,
    transpose,
    unbind,
    unsqueeze,
    var,
    where,
    zeros,
    zeros_like,
)  # fmt: skip
from .ops import abs as absolute
from .ops import cat as concat
from .ops import cat as concatenate
from .ops import clamp as clip
from .ops import div as divide
from .ops import div as true_divide
from .ops import mul as multiply
from .ops import neg as negative
from .ops import sub as subtract
from .ops import transpose as swapaxes
from .printing import set_printoptions
from .random import Generator, default_generator, manual_seed
from .tensor import Size, Tensor

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "Generator",
    "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "Size", "Tensor", "__version__",
    "abs", "absolute", "add", "addmm", "all", "allclose", "amax", "amin", "any", "arange",
    "argmax", "argmin", "as_tensor", "autograd", "backends", "bernoulli", "bitwise_and",
    "bitwise_not", "bitwise_or", "bitwise_xor", "bmm", "bool", "can_cast", "cat", "ceil",
    "chunk", "clamp", "clamp_min", "clip", "clone", "concat", "concatenate", "cos", "cuda",
    "default_generator", "device", "div", "divide", "dot", "double", "dtype", "e", "empty",
    "empty_like", "enable_grad", "eq", "equal", "exp", "eye", "flatten", "float", "float16",
    "float32", "float64", "floor", "floor_divide", "from_numpy", "full", "full_like", "ge",
    "get_default_dtype", "get_rng_state", "gt", "half", "inf", "inference_mode", "initial_seed",
    "int", "int16", "int32", "int64", "int8", "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled", "is_grad_enabled", "is_inference_mode_enabled", "is_tensor",
    "isclose", "isfinite", "isinf", "isnan", "le", "linspace", "log", "logical_and",
    "logical_not", "logical_or", "long", "lt", "manual_seed", "matmul", "max", "maximum",
    "mean", "min", "minimum", "mm", "mul", "multiply", "mv", "nan", "narrow", "ne", "neg",
    "negative", "newaxis", "nn", "no_grad", "normal", "ones", "ones_like", "optim", "outer",
    "permute", "pi", "pow", "prod", "promote_types", "rand", "rand_like", "randint", "randn",
    "randn_like", "randperm", "ravel", "reciprocal", "relu", "relu_", "remainder", "reshape",
    "result_type", "rsub", "seed", "select", "set_default_dtype", "set_grad_enabled",
    "set_printoptions", "set_rng_state", "short", "sigmoid", "sign", "sin", "split", "sqrt",
    "square", "squeeze", "stack", "std", "sub", "subtract", "sum", "swapaxes", "t", "tanh",
    "tensor", "transpose", "true_divide", "uint8", "unbind", "unsqueeze", "utils", "var",
    "where", "zeros", "zeros_like",
]  # fmt: skip

# Arithmetic follows IEEE 754 in silence, as in PyTorch: NumPy's reports of it are not passed on.
_warnings.filterwarnings("ignore", "(divide by zero|invalid value|overflow|underflow) encountered",
                         RuntimeWarning, r"minigrad\b")  # fmt: skip
__version__ = "0.1.0"
pi, e, inf, nan = 3.141592653589793, 2.718281828459045, _math.inf, _math.nan
newaxis = None


def is_tensor(obj: object) -> _builtins.bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)
