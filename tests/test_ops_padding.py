"""Padding: values, gradients to the second order, graphs, and mistakes, compared with PyTorch's."""

import pytest
from oracle import check_gradient, integers, reals, same

INPUTS = {
    "v": reals(2, 3, 5), "m": reals(2, 3, 4, 5), "c3": reals(2, 1, 3, 4, 3), "w": reals(1, 2, 3, 4, 3),
    "s": reals(), "f": reals(2, 3, 5).astype("float32"), "n": integers(2, 3, 5),
}  # fmt: skip
INPUTS["b"] = INPUTS["n"] > 0
IMPORT = "F = torch.nn.functional\n"
BOUNDARY = [
    f"F.pad({x}, {pad}, {mode!r})"
    for mode in ("reflect", "replicate", "circular")
    for x, pad in [
        ("v", (1, 2)), ("v[0]", (0, 1)), ("v", (-1, 2)), ("v", (0, 0)), ("v", (4, 3)),
        ("m", (1, 2, 2, 1)), ("m[0]", (2, 0, 0, 3)), ("m", (-1, 1, 2, -2)), ("m", (3, 3, 3, 3)),
        ("w", (1, 0, 2, 1, 1, 1)), ("w[0]", (1, 1, 1, 1, 1, 1)), ("w", (-1, 2, 0, -1, 1, 0)),
        ("f", (2, 2)), ("n", (2, 2)), ("v[:0]", (1, 1)), ("v.transpose(1, 2)", (1, 1)),
    ]
]  # fmt: skip
CONSTANT = [
    "F.pad(v, (1, 2))", "F.pad(v, (1, 2), value=3)", "F.pad(v, (-1, 2), value=-1.5)", "F.pad(v, ())",
    "F.pad(v, (-1, -1))", "F.pad(v, (-2, -3))", "F.pad(v, (0, 0))", "F.pad(v, (0, -5))",
    "F.pad(v, (5, -5), value=2.)", "F.pad(v, (1, 2, 3, 4, 5, 6))", "F.pad(v, [1, 1, -1, 0])",
    "F.pad(m, (1, 1, 1, 1), 'constant', 7.0)", "F.pad(s, ())", "F.pad(n, (1, 1), value=2.5)",
    "F.pad(b, (1, 1), value=2.5)", "F.pad(f, (1, 1), value=0.1)", "torch.constant_pad_nd(v, (1, 2))",
    "torch.constant_pad_nd(v, (1, 2), 5)", "F.pad(v, (1, 1), value=torch.tensor(1.))",
    "F.pad(v, (torch.tensor(1), 1))", "F.pad(v, torch.Size([1, 1]))", "F.pad(v, (1, 1), value=True)",
    "F.pad(v, (1, 1), 'reflect', 0)", "torch.constant_pad_nd(v, (1, 0), torch.tensor(2.))",
]  # fmt: skip
MISTAKES = [
    *[
        f"F.pad({x}, {pad}, {mode!r})"
        for mode in ("reflect", "replicate", "circular")
        for x, pad in [
            ("v[0, 0]", (1, 2)), ("v", (5, 0)), ("v", (6, 0)), ("v", (0, 6)), ("v", (-3, -4)),
            ("v", (-3, -2)), ("v", (1,)), ("v", (1, 1, 1, 1, 1, 1)), ("v", (1,) * 8), ("m", (1, 1)),
            ("v[0]", (1, 1, 1, 1)), ("v[..., :0]", (1, 1)), ("v[:, :0]", (1, 1)), ("m", (1, 1, -1, 7)),
            ("m[:, :, :0]", (1, 1, 1, 1)), ("w", (1, 1, 9, 2, 1, 1)), ("w", (1, 1, 0, 0, -9, 1)),
            ("w[:, :0]", (1, 1, 1, 1, 1, 1)), ("m", (5, 1, 0, 0)), ("v", ()),
        ]
    ],
    *[
        f"F.pad(torch.ones({shape}) > 0, {pad}, {mode!r})"
        for mode in ("reflect", "replicate")
        for shape, pad in [((1, 4), (1, 1)), ((1, 4, 4), (1,) * 4), ((1, 4, 4, 4), (1,) * 6)]
    ],
    "F.pad(v, (-6, 7))", "F.pad(v, (-3, -3))", "F.pad(v, (1,))", "F.pad(v, (1,) * 8)",
    "F.pad(v, (1.0, 2))", "F.pad(v, (1, 'b'))", "F.pad(v, 1)", "F.pad(v, 'ab')", "F.pad([1], (1, 1))",
    "F.pad(v, (1, 1), value='a')", "F.pad(v, (1, 1), 3)", "F.pad(v, (True, 1))",
    "F.pad(v, (1, 1), 'bogus')", "F.pad(v, (1, 1), 'reflect', 2.0)", "torch.constant_pad_nd(v, (1,))",
    "torch.constant_pad_nd(v, (1,) * 8)", "torch.constant_pad_nd(v, 1)",
    "torch.constant_pad_nd([2], (1,))", "torch.constant_pad_nd(v, (1, 0), 'a')",
]  # fmt: skip
MODULES = [
    "ConstantPad1d((1, 2), 3.5)(v)", "ConstantPad2d(1, 2)(m)", "ConstantPad3d(1, 2.5)(w)",
    "ZeroPad1d(2)(v)", "ZeroPad2d((1, -1, 0, 2))(m)", "ZeroPad3d(1)(w)", "ReflectionPad1d(2)(v)",
    "ReflectionPad2d((1, 2, 3, 0))(m)", "ReflectionPad3d(1)(w)", "ReplicationPad1d((2, 1))(v)",
    "ReplicationPad2d(2)(m)", "ReplicationPad3d([1, 2, 0, 1, 1, 1])(w)", "CircularPad1d(2)(v)",
    "CircularPad2d((1, 2, 3, 0))(m)", "CircularPad3d(1)(w)",
]  # fmt: skip


@pytest.mark.parametrize("program", BOUNDARY + CONSTANT)
def test_values_and_gradients(program: str) -> None:
    same(IMPORT + program, **INPUTS)


@pytest.mark.parametrize(
    "program", [p for p in BOUNDARY + CONSTANT if "(f" not in p and "(n" not in p and "(b" not in p]
)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(IMPORT + program, **INPUTS)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate"])
def test_graph_of_the_gradient(mode: str) -> None:
    same(
        f"{IMPORT}y = F.pad(v, (2, 1), {mode!r})\n"
        "torch.autograd.grad((y * y).sum(), v, create_graph=True)[0]",
        order=0,
        **INPUTS,
    )


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(IMPORT + program, **INPUTS)


@pytest.mark.parametrize("shape", ["5", "2, 3", "2, 3, 4", "1, 2, 3, 4", "1, 2, 3, 4, 3"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_dimensions_of_circular_modules(dims: int, shape: str) -> None:
    same(f"torch.nn.CircularPad{dims}d(1)(torch.ones({shape}))")


@pytest.mark.parametrize("program", MODULES)
def test_modules(program: str) -> None:
    same(f"torch.nn.{program}", **INPUTS)
    module = program.rpartition("(")[0]
    same(f"m = torch.nn.{module}\n(repr(m), m.padding, getattr(m, 'value', 0), m.state_dict())")
