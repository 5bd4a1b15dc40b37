"""Pooling: values, gradients to the second order, graphs, ties, and mistakes, compared with PyTorch's."""

import pytest
from oracle import check_gradient, integers, reals, same

INPUTS = {
    "v": reals(2, 3, 9), "m": reals(2, 3, 8, 7), "w": reals(1, 2, 5, 6, 4),
    "t": integers(2, 2, 6, 6, low=0, high=3).astype("float64"),
    "f": reals(2, 3, 8, 8).astype("float32"), "n": integers(2, 3, 6, 6), "e": reals(0, 3, 8, 7),
    "a": reals(2, 3, 8, 7, seed=1)**2 + 0.5, "cv": reals(2, 3, 4), "cm": reals(2, 2, 3, 3),
}  # fmt: skip
F = "F = torch.nn.functional\nnan, inf = float('nan'), float('inf')\n"
WINDOWS = [
    "2", "3, 2", "2, 3", "3, 1, 1", "3, 2, 1, 2", "2, 2, 0, 1, True", "3, 2, 1, 1, True",
    "kernel_size=3, stride=2, padding=1", "5, 3, 2", "1", "2, (), 1", "3, 3, 0, 1, True", "[2]",
]  # fmt: skip
MAX = [
    *[f"F.max_pool{d}d({x}, {w}{i})" for d, x in [(1, "v"), (2, "m"), (3, "w"), (2, "t")]
      for w in WINDOWS for i in ("", ", return_indices=True")
      if not (x == "w" and w[0] == "5") and not (x == "w" and "1, 2" in w)],
    "F.max_pool2d(m[0], (3, 2), (1, 2), (1, 0))", "F.max_pool1d(v[0], 3, return_indices=True)",
    "F.max_pool2d(e, 2)", "F.max_pool2d(f, 2)", "F.max_pool2d(m.transpose(2, 3), 2)",
    "F.max_pool3d(w[0], (2, 1, 3), (1, 2, 1), 0, (1, 3, 1))", "F.max_pool2d(n, 2)",
    "F.max_pool2d(n, 3, 2, 1, return_indices=True)", "torch.max_pool1d(v, 2)",
    "torch.max_pool2d(m, 2)", "torch.max_pool3d(w, 2)", "torch.max_pool1d_with_indices(v, 2)",
    "F.max_pool2d_with_indices(m, 2)", "F.max_pool2d(f.half(), 2)",
    "F.adaptive_max_pool1d(v, 3)", "F.adaptive_max_pool1d(v[0], 4, True)",
    "F.adaptive_max_pool2d(m, 3, True)", "F.adaptive_max_pool2d(m, (None, 2))",
    "F.adaptive_max_pool2d(m, (10, 9), True)", "F.adaptive_max_pool2d(t, 3, return_indices=True)",
    "F.adaptive_max_pool2d(m[0], 1)", "F.adaptive_max_pool3d(w, (2, None, 3), True)",
    "torch.adaptive_max_pool1d(v, 2)", "F.adaptive_max_pool2d(e, 2)", "F.adaptive_max_pool2d(m.detach(), 0)",
]  # fmt: skip
AVERAGE = [
    *[f"F.avg_pool{d}d({x}, {w})" for d, x in [(1, "v"), (2, "m"), (3, "w"), (2, "f")]
      for w in ("2", "3, 2", "2, 3", "3, 1, 1", "3, 2, 1, True", "3, 2, 1, True, False",
                "2, 2, 1, False, False", "2, 3, 0, True", "1")],
    "F.avg_pool2d(m, 3, 2, 1, divisor_override=5)", "F.avg_pool2d(m, 2, divisor_override=-3)",
    "F.avg_pool2d(m[0], (3, 2), (1, 2), (1, 0))", "F.avg_pool3d(w[0], (2, 1, 3))",
    "F.avg_pool3d(w, 2, 1, 1, True, False, 7)", "F.avg_pool2d(n, 3, 2, 1)", "F.avg_pool2d(e, 2)",
    "torch.avg_pool1d(v, 2)", "F.avg_pool2d(f.half(), 2)", "F.avg_pool2d(m, 7, 7)",
    "F.adaptive_avg_pool1d(v, 4)", "F.adaptive_avg_pool1d(v[0], 3)", "F.adaptive_avg_pool1d(v, 1)",
    "F.adaptive_avg_pool2d(m, (3, 2))", "F.adaptive_avg_pool2d(m, (None, 4))",
    "F.adaptive_avg_pool2d(m, 1)", "F.adaptive_avg_pool2d(m[0, 0], 1)", "F.adaptive_avg_pool2d(m[0], (1, 2))",
    "F.adaptive_avg_pool2d(m[0], (2, 1))", "F.adaptive_avg_pool2d(m[0], (1, 1))",
    "F.adaptive_avg_pool2d(m, (10, 9))", "F.adaptive_avg_pool2d(f, 3)", "F.adaptive_avg_pool2d(f, 4)",
    "F.adaptive_avg_pool3d(w, (2, 3, 3))", "F.adaptive_avg_pool3d(w, 1)",
    "F.adaptive_avg_pool3d(w[0], (None, 2, 1))", "torch.adaptive_avg_pool1d(v, 2)",
    "F.adaptive_avg_pool2d(e, 2)", "F.adaptive_avg_pool2d(m.detach(), 0)", "F.adaptive_avg_pool2d(f.half(), 3)",
]  # fmt: skip
NORMS = [
    "F.lp_pool1d(a[0], 2, 3)", "F.lp_pool1d(a[0, 0], 3, 2, 1, True)", "F.lp_pool2d(a, 2, 3)",
    "F.lp_pool2d(a[0], 2.5, (3, 2), 2)", "F.lp_pool3d(a, 2, 3, ceil_mode=True)", "F.lp_pool2d(a, 1, 2)",
]  # fmt: skip
UNPOOLED = [
    "y, i = F.max_pool1d(v, 2, return_indices=True)\nF.max_unpool1d(y, i, 2)",
    "y, i = F.max_pool1d(v[0], 2, return_indices=True)\nF.max_unpool1d(y, i, 2, output_size=(9,))",
    "y, i = F.max_pool2d(m, 2, return_indices=True)\nF.max_unpool2d(y, i, 2, output_size=m.size())",
    "y, i = F.max_pool2d(m, 3, 3, 1, return_indices=True)\nF.max_unpool2d(y, i, 3, 3, 1, (8, 7))",
    "y, i = F.max_pool2d(m[0], 2, return_indices=True)\nF.max_unpool2d(y, i, 2, None, 0, [8, 7])",
    "y, i = F.max_pool3d(w, 2, return_indices=True)\nF.max_unpool3d(y, i, 2, output_size=[5, 6, 4])",
]  # fmt: skip
TIES = [
    "1, 1, nan, 2], [1, 1, nan, nan], [-inf, -inf, -inf, -inf], [-inf, -inf, -inf, -inf",
    "nan, 1, nan, 2], [3, 1, 4, nan], [-inf, -inf, inf, inf], [-inf, nan, inf, inf",
    "0., -0., -0., 0.], [0., 0., 0., 0.], [2., 2., 1., 2.], [1., 2., 2., 2.",
]


@pytest.mark.parametrize("program", MAX + UNPOOLED)
def test_largest(program: str) -> None:
    same(F + program, **INPUTS)


@pytest.mark.parametrize("program", AVERAGE)
def test_average(program: str) -> None:
    same(F + program, **INPUTS)


@pytest.mark.parametrize("program", NORMS)
def test_norms(program: str) -> None:
    same(F + program, ulps=4, grad_ulps=16, **INPUTS)


@pytest.mark.parametrize(
    "program",
    [p for p in MAX + AVERAGE + NORMS + UNPOOLED
     if not any(x in p for x in ("(f", "(n", "(t", "(e", "detach"))]
)  # fmt: skip
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(F + program, **INPUTS)


@pytest.mark.parametrize("rows", TIES)
@pytest.mark.parametrize(
    "call",
    ["max_pool2d(x, 2", "max_pool2d(x, 3, 1, 1", "max_pool2d(x, 2, 1, 1, 2", "max_pool1d(x[0], 2",
     "max_pool1d(x[0], 3, 2, 1", "max_pool3d(x, (1, 2, 2)", "adaptive_max_pool2d(x, 3",
     "adaptive_max_pool1d(x[0], 2"],
)  # fmt: skip
def test_ties_and_nan(call: str, rows: str) -> None:
    program = f"{F}x = torch.tensor([[[{rows}]]], requires_grad=True)\n"
    same(f"{program}F.{call}, return_indices=True)")
    same(f"{program}torch.autograd.grad(F.{call}).nansum(), x)")
    same(f"{program}F.{call}).detach()")


@pytest.mark.parametrize(
    "call",
    ["max_pool1d(v, 3, 2)", "max_pool2d(m, 2)", "max_pool3d(w, 2)", "avg_pool1d(v, 2)",
     "avg_pool2d(m, 3, 2)", "avg_pool3d(w, 2)", "adaptive_avg_pool2d(m, 3)", "adaptive_max_pool1d(v, 3)",
     "adaptive_avg_pool3d(w, 2)", "adaptive_max_pool2d(m, 3)", "adaptive_max_pool3d(w, 2)"],
)  # fmt: skip
def test_graph_of_the_gradient(call: str) -> None:
    x = call.partition("(")[2][0]
    same(
        f"{F}y = F.{call}\ntorch.autograd.grad((y * y).sum(), {x}, create_graph=True)[0]",
        order=0,
        **INPUTS,
    )


SAVED = [
    "x = m * 1\ny = F.max_pool2d(x, 2)\ny.mul_(2)\ny.sum().backward()\nm.grad",
    "x = m * 1\ny = F.max_pool2d(x, 2)\nx.mul_(2)\ny.sum().backward()",
    "y = F.max_pool2d(m, 2).sum()\ny.backward()\ny.backward()",
    "x = m * 1\ny = F.avg_pool2d(x, 2)\ny.mul_(2)\ny.sum().backward()\nm.grad",
    "x = m * 1\ny = F.avg_pool2d(x, 2)\nx.mul_(2)\ny.sum().backward()",
]  # fmt: skip


@pytest.mark.parametrize("program", SAVED)
def test_saved(program: str) -> None:
    last = program.rpartition("\n")[2]
    same(F + (program if "grad" in last else f"{program}\n0"), order=0, **INPUTS)


_SIZES = [
    "(2, 2, 2, 2)", "()", "2, (2, 2, 2, 2)", "2, 1, (1, 1, 1, 1)", "2, 0", "2, -1", "0", "-1", "2, 1, 2",
    "2, 1, -1", "9", "'a'", "2.0", "(2.0,) * 3", "None", "2, 'a'", "2, 1, None", "True", "(2, 'a')",
]  # fmt: skip
_SHAPES = [
    "8", "2, 0, 8", "2, 3, 0", "0, 8", "3, 0", "0, 3, 8, 8", "2, 0, 8, 8", "2, 3, 0, 8", "2, 3, 8, 8, 8",
    "2, 0, 8, 8, 8", "2, 3, 8, 8, 0", "1, 2, 3, 8, 8, 8",
]  # fmt: skip
_KINDS = [
    f"F.{kind}_pool{d}d(torch.ones({'1, 4, 4, 4'[: 3 * d + 1]}).to(torch.{dtype}), 2)"
    for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for d in (1, 2, 3)
    for dtype in ("int64", "bool", "uint8", "float16")
]  # fmt: skip
MISTAKES = [
    *[f"F.{kind}_pool{d}d(torch.ones(2, 3{', 8' * d}), {sizes})"
      for kind in ("max", "avg") for d in (1, 2, 3) for sizes in _SIZES],
    *[f"F.max_pool{d}d(torch.ones(2, 3{', 8' * d}), {sizes})" for d in (1, 2, 3)
      for sizes in ("2, 1, 0, 0", "2, 1, 0, -1", "2, 1, 0, (1, 1, 1, 1)", "3, 1, 1, 5")],
    *[f"F.{kind}_pool{d}d(torch.ones({shape}), 2)"
      for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for d in (1, 2, 3) for shape in _SHAPES],
    *[f"F.adaptive_{kind}_pool{d}d(torch.ones(2, 3{', 8' * d}), {sizes})"
      for kind in ("max", "avg") for d in (1, 2, 3)
      for sizes in ("(2, 2, 2, 2)", "()", "0", "-1", "2.0", "None", "(None,)", "(2, None)", "(-1, 2)", "(2,)")],
    *_KINDS, "F.avg_pool2d(m, 2, divisor_override=0)", "F.avg_pool3d(w, 2, divisor_override=0)",
    "F.max_pool2d(3, 2)", "F.avg_pool2d(3, 2)", "F.adaptive_avg_pool2d(3, 2)", "F.max_pool1d(3, 2)",
    "F.adaptive_avg_pool1d(3, 2)", "F.avg_pool1d(v, 2, 1, 0, False, 0)",
    "F.adaptive_avg_pool2d(n, 1)",
]  # fmt: skip
MISTAKES += [
    f"F.max_pool1d_with_indices(torch.ones({shape}), {sizes})"
    for shape, sizes in [("2, 3, 8", s) for s in _SIZES if s not in ("'a'", "2.0", "(2.0,) * 3", "None")
                         and "None" not in s and "a" not in s and s != "True"]
    + [(s, "2") for s in ("8", "2, 0, 8", "1, 2, 3, 4")] + [("2, 3, 8", "2, 1, 0, 0")]
]  # fmt: skip
UNPOOL_MISTAKES = [
    f"i = torch.zeros(2, 2, 3, 3).long()\nF.max_unpool2d(cm, {rest})"
    for rest in ("i[0], 2", "i.int(), 2", "i + 99, 2", "i - 1, 2", "i, 2, output_size=(9, 9)",
                 "i, 2, output_size=(5,)", "i, 2, padding=5")
] + [
    "F.max_unpool2d(cm[0, 0], torch.zeros(3, 3).long(), 2)",
    "i = torch.zeros(2, 3, 4).long()\nF.max_unpool1d(cv, i[0], 2)",
    "i = torch.zeros(2, 3, 4).long()\nF.max_unpool1d(cv, i + 99, 2)",
    "F.max_unpool1d(cv[0, 0], torch.zeros(4).long(), 2)",
    "i = torch.zeros(1, 2, 5, 6, 4).long()\nF.max_unpool3d(w, i + 9999, 2)",
    "i = torch.zeros(1, 2, 5, 6, 4).long()\nF.max_unpool3d(w, i.int(), 2)",
    "i = torch.zeros(1, 2, 5, 6, 4).long()\nF.max_unpool3d(w, i[0], 2)",
    "i = torch.zeros(1, 2, 5, 6, 4).long()\nF.max_unpool3d(w, i, 2, 0)",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES + UNPOOL_MISTAKES)
def test_mistakes(program: str) -> None:
    same(F + program, order=0, **INPUTS)


MODULES = [
    "MaxPool1d(3, 2)(v)", "MaxPool2d(2)(m)", "MaxPool2d(3, stride=2, padding=1, ceil_mode=True)(m)",
    "MaxPool2d((2, 3), return_indices=True)(m)", "MaxPool3d(2, 1)(w)", "AvgPool1d(2)(v)",
    "AvgPool1d([3], 2, 1, count_include_pad=False)(v)", "AvgPool2d(2)(m)", "AvgPool3d((1, 2, 2))(w)",
    "AvgPool2d(3, 2, 1, True, False, 4)(m)", "AdaptiveAvgPool1d(4)(v)", "AdaptiveAvgPool2d((None, 3))(m)",
    "AdaptiveAvgPool3d(2)(w)", "AdaptiveMaxPool1d(3)(v)", "AdaptiveMaxPool2d((2, 3), True)(m)",
    "AdaptiveMaxPool3d(2)(w)", "LPPool1d(1, 3)(v)", "LPPool2d(1, 3, 2)(a)", "LPPool3d(1, 2)(w)",
    "MaxUnpool2d(2)(cm, torch.arange(9).view(3, 3).expand(2, 2, 3, 3))",
    "MaxUnpool1d(2, 3, 1)(cv, torch.arange(4).expand(2, 3, 4), [9])",
    "MaxUnpool3d(2)(cm[None], torch.arange(18).view(2, 3, 3).expand(1, 2, 2, 3, 3))",
]  # fmt: skip


@pytest.mark.parametrize("program", MODULES)
def test_modules(program: str) -> None:
    same(f"torch.nn.{program}", **INPUTS)
    module = program.partition(")(")[0] + ")"
    names = "[n for n in vars(m) if n[0] != '_']"
    same(f"m = torch.nn.{module}\n(repr(m), [(n, getattr(m, n)) for n in sorted({names})])")
