"""`cupy.ElementwiseKernel` for the stand-in (stand_in.py): the text of a kernel, run on the host.

minigrad/fusion writes one operation on a line, as a declaration of C whose right side is an
expression of Python too: `const float t3 = exp(t1 * s0);`. So the same text that CuPy compiles can be
evaluated here, line by line, by NumPy in the declared types. Arguments are checked as CuPy checks
them. What this does not show is what the compiler makes of the text: that it compiles, and where it
contracts a product and a sum to one instruction, which rounds once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

TYPES = {"bool": np.bool_, "float16": np.float16, "float": np.float32, "double": np.float64}
OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
    ast.USub: np.negative, ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater,
    ast.GtE: np.greater_equal, ast.Eq: np.equal, ast.NotEq: np.not_equal,
    ast.BitAnd: np.bitwise_and, ast.BitOr: np.bitwise_or, ast.BitXor: np.bitwise_xor,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "pow": np.power,
    "either_of": np.where, "larger": np.maximum, "smaller": np.minimum, "sign_of": np.sign,
    "log_add_exp": np.logaddexp,
}  # fmt: skip


def evaluated(text: str, names: dict[str, Any]) -> Any:
    """The value of a right side."""
    return value_of(ast.parse(text, mode="eval").body, names)


def value_of(node: Any, names: dict[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return names[name]
        case ast.Constant(value=number):
            return number
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](value_of(operand, names))
        case (
            ast.BinOp(left=left, op=op, right=right)
            | ast.Compare(left=left, ops=[op], comparators=[right])
        ):
            return OPERATORS[type(op)](value_of(left, names), value_of(right, names))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [value_of(a, names) for a in args]
            if name in TYPES:
                return np.asarray(values[0]).astype(TYPES[name])
            return (FUNCTIONS.get(name) or getattr(np, name))(*values)
    raise SyntaxError(ast.dump(node))


def declared(params: str) -> list[tuple[np.dtype[Any], str]]:
    pairs = [p.split() for p in params.split(",") if p.strip()]
    return [(np.dtype(kind), name) for kind, name in pairs]


def host_kernel(stand_in: Any) -> type:
    """The class, for the stand-in's arrays."""

    class ElementwiseKernel:
        def __init__(
            self, in_params: str, out_params: str, operation: str, name: str = "kernel",
            *, preamble: str = "",
        ) -> None:  # fmt: skip
            self.given, self.out = declared(in_params), declared(out_params)
            self.lines = [line.rstrip(";") for line in operation.split("\n")]
            self.name = name
            assert name.isidentifier(), "Invalid kernel name"

        def __call__(self, *args: Any) -> Any:
            stand_in.launches.append(self.name)
            given, out = args[: len(self.given)], args[len(self.given) :]
            assert len(out) in (0, len(self.out)), "wrong number of arguments"
            names = {n: self.checked(a, d) for a, (d, n) in zip(given, self.given, strict=True)}
            for array, (dtype, name) in zip(out, self.out, strict=False):
                names[name] = self.checked(array, dtype)
            shape = np.broadcast_shapes(*[np.shape(v) for v in names.values()])
            assert all(array.shape == shape for array in out), "Out shape is mismatched"
            with np.errstate(all="ignore"):
                self.run(names)
            if not out:
                ((dtype, name),) = self.out
                return stand_in.wrapped(np.broadcast_to(names[name], shape).astype(dtype), [])
            for array, (_, name) in zip(out, self.out, strict=True):
                array._host[...] = names[name]
            return out[0] if len(out) == 1 else out

        def run(self, names: dict[str, Any]) -> None:
            for line in self.lines:
                left, _, right = line.partition(" = ")
                if left.startswith("const "):
                    _, kind, name = left.split()
                    names[name] = np.asarray(evaluated(right, names)).astype(TYPES[kind])
                else:
                    names[left] = evaluated(right, names)

        def checked(self, value: Any, dtype: Any) -> Any:
            """An argument on the host; arrays have to have the declared dtype."""
            if isinstance(value, stand_in.ndarray):
                assert value.dtype == dtype, "Type is mismatched"
                return value._host
            if isinstance(value, np.ndarray):
                raise stand_in.Refused("Unsupported type <class 'numpy.ndarray'>")
            return dtype.type(value)

    return ElementwiseKernel
