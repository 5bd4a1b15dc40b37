"""Formulas that a row leaves to a function of its own, written out for a reader.

The row of `pow` says `power_gradient(grad, input, exponent, xp)`, which is true but tells little.
A tape says `grad * exponent * input ** (exponent - 1)` as well, and with the numbers of the call
`grad * 2 * input`. Names are those of the row; `n` is the number of elements of `input`. The
tests compute each of these expressions and compare it with what the row's function gives.
"""

from __future__ import annotations

import ast
import math
from typing import Any

MATHEMATICS = {
    ("PowBackward0", "input"): "grad * exponent * input ** (exponent - 1)",
    ("MeanBackward0", "input"): "grad / n",
    ("MmBackward0", "input"): "grad @ mat2.T",
    ("MmBackward0", "mat2"): "input.T @ grad",
    ("AddmmBackward0", "mat1"): "grad @ mat2.T",
    ("AddmmBackward0", "mat2"): "mat1.T @ grad",
    ("SqrtBackward0", "input"): "grad / (2 * result)",
    ("AbsBackward0", "input"): "grad * sign(input)",
    ("ReluBackward0", "input"): "grad * (result > 0)",
    ("SigmoidBackward0", "input"): "grad * result * (1 - result)",
    ("TanhBackward0", "input"): "grad * (1 - result ** 2)",
    ("SoftmaxBackward0", "input"): "result * (grad - sum(grad * result, dims))",
    ("LogSoftmaxBackward0", "input"): "grad - exp(result) * sum(grad, dims)",
    ("MseLossBackward0", "input"): "grad * 2 * (input - target) / n",
    ("MseLossBackward0", "target"): "grad * 2 * (target - input) / n",
}


def mathematics(node: Any, input: str, tape: Any) -> str | None:
    """The formula of one input of a node on the tape, its constants put in; None without one."""
    text = MATHEMATICS.get((node.name, input))
    if text is None:
        return None
    constants = {saved.name: saved.text for saved in node.saved if saved.tensor is None}
    if constants.get("reduction", "'mean'") != "'mean'":
        text = text.removesuffix(" / n")
    constants["n"] = str(_count(node, constants, tape))
    return ast.unparse(_Folded(constants).visit(ast.parse(text, mode="eval")))


def _count(node: Any, constants: dict[str, str], tape: Any) -> int | str:
    """The number of elements of `input`: from its saved value, or from its shape."""
    for saved in node.saved:
        if saved.name == "input" and saved.tensor is not None:
            return int(tape.tensors[saved.tensor - 1].value.count)
    shape = constants.get("input_shape")
    return math.prod(ast.literal_eval(shape)) if shape else "n"


class _Folded(ast.NodeTransformer):
    """Puts constants in, and leaves out what they make trivial: `x ** (2 - 1)` is `x`."""

    def __init__(self, constants: dict[str, str]) -> None:
        self.constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = self.constants.get(node.id)
        return node if text is None else ast.parse(text, mode="eval").body

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.right, ast.Constant):
            if isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Constant):
                return ast.Constant(node.left.value - node.right.value)  # type: ignore[operator]
            if isinstance(node.op, ast.Pow) and node.right.value == 1:
                return node.left
        return node
