"""Which dtype a result has, for all pairs of dtypes, beside PyTorch."""

from __future__ import annotations

import itertools

import pytest
from oracle import same

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
PAIRS = list(itertools.product(DTYPES, DTYPES))
OPS = [
    "a + b", "a * b", "a / b", "a // b", "a % b", "a == b", "a < b", "torch.maximum(a, b)",
    "torch.where(a == b, a, b)", "torch.result_type(a, b)", "torch.cat([a.view(-1), b.view(-1)])",
    "a ** b", "torch.stack([a.view(-1)[0], b.view(-1)[0]])", "a - b", "a & b", "a.clamp(min=b)",
]  # fmt: skip
NUMBERS = ["True", "2", "2.5", "-1", "np.float32(2)", "np.int64(2)", "np.float64(2.5)"]


def vector(values: str, dtype: str) -> str:
    """The source of a tensor."""
    return f"torch.tensor([{values}], dtype=torch.{dtype})"


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_tensors_and_tensors(one: str, other: str) -> None:
    for op in OPS:
        same(
            f"a, b = {vector('1, 3', one)}, {vector('2, 2', other)}\n{op}",
            ulps=1,
        )


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_tensors_and_zero_dimensional_tensors(one: str, other: str) -> None:
    for op in OPS[:-4]:
        same(
            f"a, b = {vector('1, 3', one)}, torch.tensor(2, dtype=torch.{other})\n{op}",
            ulps=1,
        )
        same(
            f"b, a = {vector('1, 3', one)}, torch.tensor(2, dtype=torch.{other})\n{op}",
            ulps=1,
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", NUMBERS)
def test_tensors_and_numbers(dtype: str, number: str) -> None:
    for op in [
        "a + b",
        "b + a",
        "a * b",
        "a / b",
        "b / a",
        "a // b",
        "a % b",
        "a == b",
        "a < b",
        "torch.where(a == 1, a, b)",
        "torch.result_type(a, b)",
        "a.clamp(min=b)",
        "b - a",
        "a - b",
        "a ** b",
        "b ** a",
        "a.add(b)",
        "b // a",
        "b % a",
    ]:
        if not number.startswith("np") or not op.startswith(
            "b"
        ):  # NumPy's operators make arrays there
            same(f"a, b = torch.tensor([1, 3], dtype=torch.{dtype}), {number}\n{op}", ulps=1)
            same(f"a, b = torch.tensor(3, dtype=torch.{dtype}), {number}\n{op}", ulps=1)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_in_place(one: str, other: str) -> None:
    for op in [
        "a.add_(b)",
        "a.mul_(b)",
        "a.div_(b)",
        "a.copy_(b)",
        "a.sub_(b)",
        "a.fill_(b[0])",
        "a.floor_divide_(b)",
        "a.pow_(b)",
        "a.add_(b[0])",
        "a.lt_(b)",
    ]:
        same(
            f"a, b = {vector('1, 3', one)}, {vector('2, 2', other)}\n{op}\n(a, a._version)",
            ulps=1,
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", NUMBERS[:4])
def test_in_place_with_numbers(dtype: str, number: str) -> None:
    for op in [
        "a.add_(b)",
        "a.mul_(b)",
        "a.div_(b)",
        "a.fill_(b)",
        "a.sub_(b)",
        "a.pow_(b)",
        "a[0] = b",
        "a.remainder_(b)",
    ]:
        same(f"a, b = torch.tensor([1, 3], dtype=torch.{dtype}), {number}\n{op}\na", ulps=1)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_tables(one: str, other: str) -> None:
    same(f"a, b = torch.{one}, torch.{other}\ntorch.promote_types(a, b), torch.can_cast(a, b)")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_default_dtype(dtype: str) -> None:
    for program in [
        "torch.tensor(1.5)",
        "torch.arange(3) / 2",
        "torch.arange(3) + 0.5",
        "torch.ones(2)",
        "torch.arange(3) * 1.5",
        "torch.tensor([1, 2]).sqrt()",
        "torch.result_type(torch.arange(3), 1.0)",
        "torch.arange(0, 1, 0.5)",
        "torch.full((1,), 2.0)",
    ]:
        same(
            f"torch.set_default_dtype(torch.{dtype})\n"
            f"try: r = {program}\nfinally: torch.set_default_dtype(torch.float32)\nr",
            ulps=1,
        )


GRADIENTS = [
    "x.float() * y", "x * y.float()", "(x.half() + y).sum()", "torch.where(y > 0, x, y.float())",
    "x + torch.tensor(1.5)", "torch.cat([x.float(), y])", "torch.maximum(x.float(), y)",
    "x.float().mul_(y)", "torch.stack([x.half(), y])", "x * 2 + y.float() / 3",
]  # fmt: skip


@pytest.mark.parametrize("program", GRADIENTS)
def test_gradients_have_the_dtype_of_their_inputs(program: str) -> None:
    import numpy as np

    same(program, ulps=2, order=1, x=np.array([1.0, 2.0]), y=np.array([0.5, 3.0]))
