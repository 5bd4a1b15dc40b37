"""What random programs have found, kept as the shortest programs that show it.

`test_properties.py` draws its programs anew (many of them in the `thorough` profile), so what it
finds once need not be drawn again. Each line here differed between the libraries at some time.
"""

from __future__ import annotations

import pytest
from oracle import same

WHOLE = "x = torch.tensor([1, 2]); "
BYTES = "x = torch.tensor([1, 2], dtype=torch.uint8); "
BOOLS = "x = torch.tensor([[True, False], [True, True]]); "
WIDE = "x = torch.arange(3.0).expand(4, 3); "
STRIDES = "[t.stride() for t in torch.linalg.{}]"
LEAST = STRIDES.format("lstsq(torch.ones({0}) + torch.eye({2}), torch.ones({1}))")

ARGUMENTS = [
    *[f"{WHOLE}torch.{f}(x, x, alpha={a})" for f in ("add", "sub", "rsub") for a in (True, 1.0, 2)],
    *[f"{WHOLE}x.{f}_(x, alpha={a})" for f in ("add", "sub") for a in (True, 1.0)],
    *[f"torch.{f}(torch.ones(2), 1, alpha=True)" for f in ("add", "sub", "rsub")],
    f"{BOOLS}torch.add(x, x, alpha=True)",
    f"{BOOLS}torch.sub(x, x, alpha=2)",
    f"{WHOLE}torch.rsub(x, x, alpha=0.5)",
    *[f"{BYTES}torch.addcmul(x, x, x, value={v})" for v in (-0.5, -1, -255, -256, 300, "1e30")],
    f"{BYTES}torch.addcmul(x, x, x, value=float('nan'))",
    *[f"{BYTES}x.fill_({v})" for v in (-0.5, -1, -1.0, -255, -256, 255.5)],
    *[f"{BYTES}torch.full_like(x, {v})" for v in (-0.5, -1, 300, "float('nan')")],
    *[f"torch.full((2,), {v}, dtype=torch.int8)" for v in (127.5, 128, -129, "float('inf')")],
    *[f"{BYTES}torch.nn.functional.pad(x, (1, 1), value={v})" for v in (-1, 3, 2.5)],
    *[f"{BYTES}torch.nn.functional.hardtanh(x, {v})" for v in ("-1, 1", "-0.5, 1", "1, 300")],
    *[f"{BYTES}torch.nn.functional.threshold(x, {v})" for v in ("-1, 1", "-0.5, 1", "1.5, 7")],
    f"{BOOLS}torch.topk(x, 1)",
    f"{BOOLS}torch.topk(x, 3)",
    f"{BOOLS}torch.kthvalue(x, 1)",
    *[f"torch.{f}(torch.zeros(0, dtype=torch.{d}))" for f in ("median", "nanmedian")
      for d in ("int8", "int16", "int32", "int64", "uint8", "bool", "float32")],
]  # fmt: skip

LAYOUTS = [
    LEAST.format("4, 2", "4, 3", "4, 2"),
    LEAST.format("5, 4, 2", "5, 4, 3", "4, 2"),
    LEAST.format("2, 5, 4, 2", "2, 5, 4, 3", "4, 2"),
    LEAST.format("5, 4, 2", "5, 4", "4, 2"),
    LEAST.format("2, 4", "2, 3", "2, 4"),
    *[STRIDES.format(f"lu(torch.ones({shape}))") for shape in ("3, 3", "4, 2", "2, 4", "5, 3, 3")],
    *[f"{WIDE}torch.{f}_like(x)" for f in ("zeros", "ones")],
    f"{WIDE}torch.empty_like(x).stride()",
    f"{WIDE}torch.full_like(x, 2.5)",
    "torch.zeros_like(torch.ones(2, 1, 3).expand(2, 4, 3))",
    "torch.zeros_like(torch.ones(3, 1, 2).transpose(0, 2).expand(2, 4, 3))",
    f"{WIDE}torch.manual_seed(0); torch.native_dropout(x, 0.5, True)",
]  # fmt: skip


@pytest.mark.parametrize("program", ARGUMENTS)
def test_numbers_and_dtypes(program: str) -> None:
    same(program)


@pytest.mark.parametrize("program", LAYOUTS)
def test_strides(program: str) -> None:
    same(program)


def test_slope_of_ldexp_where_it_overflows() -> None:
    same(
        "x = torch.tensor(3e38, requires_grad=True)\n"
        "y = torch.tensor(1.0, requires_grad=True)\n"
        "torch.ldexp(x, y).backward(torch.tensor(0.25))\n"
        "x.grad, y.grad"
    )


def test_values_at_the_largest_numbers() -> None:
    """pi x and 2 pi x overflow, what is computed from them does not."""
    same("torch.sinc(torch.tensor([65504.0, 3.0, 20000.0], dtype=torch.float16))")
    same("torch.special.i0e(torch.tensor([1.7e308], dtype=torch.float64))", ulps=4)


def test_slope_of_hypot_of_the_smallest_number() -> None:
    """-0.625 times the smallest number is rounded before it is divided."""
    same(
        "x = torch.tensor(0.0, requires_grad=True)\n"
        "y = torch.tensor(1e-45, requires_grad=True)\n"
        "torch.hypot(x, y).backward(torch.tensor(-0.625))\n"
        "x.grad, y.grad"
    )


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 0.5, 1.5])
def test_slope_of_a_power_of_a_0d_tensor(exponent: float) -> None:
    """Within a formula, a 0-d array may have become a NumPy scalar."""
    same(
        "x = torch.tensor(4.0, requires_grad=True)\n"
        f"(x ** {exponent}).backward()\n"
        "x.grad"
    )  # fmt: skip


@pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd"])
@pytest.mark.parametrize("batch", ["", "3, "])
def test_gradient_of_least_squares_with_one_right_side(batch: str, driver: str) -> None:
    same(
        f"x = torch.arange(1.0, 13).reshape(3, 4).sin() if '{batch}' else torch.arange(1.0, 5).sin()\n"
        f"A = (torch.ones({batch}4, 2) + torch.eye(4)[:, :2]).requires_grad_()\n"
        "b = x.clone().requires_grad_()\n"
        f"X = torch.linalg.lstsq(A, b, driver='{driver}').solution\n"
        "name = X.grad_fn.name()\n"
        "X.sin().sum().backward()\n"
        "(X.detach() * 8).round(), name, (A.grad * 1024).round(), (b.grad * 1024).round()"
    )


@pytest.mark.parametrize("f", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("shape", ["0", "0, 3", "3, 0"])
def test_gradient_of_softmax_of_nothing(f: str, shape: str) -> None:
    same(
        f"x = torch.zeros({shape}, requires_grad=True)\n"
        f"torch.nn.functional.{f}(x, dim=0).sum().backward()\n"
        "x.grad"
    )


@pytest.mark.parametrize("train", [True, False, None])
@pytest.mark.parametrize("shape", ["2, 3", "0, 3"])
def test_mask_of_native_dropout(shape: str, train: bool | None) -> None:
    same(f"[t.dtype for t in torch.native_dropout(torch.ones({shape}), 0.5, {train})]")
