"""Changing dtype or device beside PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import reals, same

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
VALUES = {
    "float64": [0.0, -1.5, 2.7, 100.9],
    "float32": [0.0, 1.5, -2.5, 3.999],
    "float16": [0.5, -1.0],
    "int64": [0, -1, 300, 2**40 + 5],
    "int32": [0, -1, 70000],
    "int16": [-300, 5],
    "int8": [-128, 127],
    "uint8": [0, 200],
    "bool": [0, 1],
}


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_casts(source: str, target: str) -> None:
    same(f"c.to(torch.{target})", c=np.array(VALUES[source]).astype(source))


METHODS = [
    "x.float()", "x.double()", "x.half()", "x.long()", "x.int()", "x.bool()", "x.float() is x",
    "x.double() is x", "x.to(torch.float64) is x", "x.to('cpu') is x", "x.to(torch.float32)",
    "x.to(dtype=torch.float16)", "x.to(torch.ones(1)) * 2", "x.to('cpu', torch.float32)",
    "x.to(torch.float64, copy=True)", "x.to(torch.device('cpu'))", "x.type(torch.float32)",
    "x.type()", "x.float().type()", "x.float() * x", "x.half() + 1", "x.float().double()",
    "x.cpu() is x", "x.t().float()", "x[:, ::2].float()", "x.detach().long().float()",
    "x.to(torch.int64).requires_grad", "x.to(x.dtype)", "x.short()", "x.abs().long()",
    "x.float().sum()", "x.t().to(torch.float32).stride()", "x.t().contiguous().stride()",
    "x.requires_grad_() is x", "x.to(torch.float64, False, False) is x",
    "x.to(torch.float64, False, True) is x", "x.to('cpu', torch.float64, True) is x",
    "x.to('cpu', torch.float64, False, True) is x", "x.to(x, False, True) is x",
]  # fmt: skip
NUMBERS = [
    "c.item()", "c.tolist()", "float(c)", "int(c)", "bool(c)", "c.numpy().dtype.name", "f'{c:.2f}'",
    "str(c)", "len(c)", "list(range(10))[c.long()]", "c.numpy().shape", "c.detach().item()",
    "abs(c).item()", "round(float(c), 2)", "c in c", "c.__index__()", "'%.1f' % c",
    "c.is_floating_point()", "c.element_size()", "c.dim(), c.ndim, c.numel(), c.nelement()",
    "c.size(), c.shape", "c.size(0)", "c.dtype, c.device", "c.size(-1)", "c.storage_offset()",
    "c.is_contiguous()", "[t.item() for t in c]", "torch.is_tensor(c)", "c.size(dim=0)",
]  # fmt: skip


@pytest.mark.parametrize("program", METHODS)
def test_conversions(program: str) -> None:
    same(program, x=reals(2, 3), grad_ulps=1, order=1)


@pytest.mark.parametrize("program", NUMBERS)
@pytest.mark.parametrize("shape", [(), (1,), (2,), (0,), (2, 3)], ids=str)
def test_python_values(program: str, shape: tuple[int, ...]) -> None:
    same(program, c=reals(*shape))


MISTAKES = [
    "torch.ones(2, requires_grad=True).numpy()", "torch.ones(3).item()", "bool(torch.ones(3))",
    "bool(torch.ones(0))", "float(torch.ones(2))", "int(torch.ones(2))", "len(torch.tensor(1.0))",
    "list(torch.tensor(1.0))", "torch.ones(2).to(torch.int64).requires_grad_()",
    "if torch.ones(2): pass\n1", "range(torch.tensor(2.0))", "[1, 2][torch.tensor(1.0)]",
    "int(torch.tensor(float('nan')))", "int(torch.tensor(float('inf')))", "f'{torch.ones(2):.2f}'",
    "torch.ones(2).size(1)",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)
