"""Resizing and shuffling: values, gradients, graphs, and mistakes, compared with PyTorch's."""

import numpy as np
import pytest
from oracle import check_gradient, integers, reals, same


def between(*shape: int) -> np.ndarray:
    """Numbers between 1 and 2, among which a rounding of the weights stays small."""
    return 1 + np.random.default_rng(sum(shape)).random(shape)


INPUTS = {
    "v": between(2, 3, 5), "m": between(2, 3, 4, 5), "p": reals(2, 8, 4, 6), "w": between(1, 2, 3, 4, 3),
    "n": integers(2, 3, 4, 5, low=0), "e": reals(0, 3, 4, 5), "f": between(2, 3, 4, 5).astype("float32"),
}  # fmt: skip
F = "F = torch.nn.functional\n"
SHAPED = {"v": ("nearest", "nearest-exact", "linear", "area"), "w": ("nearest", "nearest-exact", "trilinear", "area"),
          "m": ("nearest", "nearest-exact", "bilinear", "bicubic", "area")}  # fmt: skip
HOW = [
    "scale_factor=2",
    "scale_factor=1.7",
    "scale_factor=0.6",
    "size=7",
    "size=3",
    "scale_factor=1",
]
RESIZED = [
    f"F.interpolate({x}, {how}, mode={mode!r})" for x, modes in SHAPED.items() for mode in modes for how in HOW
] + [
    f"F.interpolate({x}, {how}, mode={mode!r}, align_corners={align})"
    for x, mode in [("v", "linear"), ("m", "bilinear"), ("m", "bicubic"), ("w", "trilinear"),
                    ("f", "bilinear"), ("f", "bicubic")]
    for how in ("size=7", "scale_factor=2.3", "size=1") for align in (True, False)
] + [
    "F.interpolate(m, (3, 9))", "F.interpolate(m, [4, 5], mode='bilinear')", "F.interpolate(f, (6, 11))",
    "F.interpolate(m, scale_factor=(2, 0.5), mode='bilinear')", "F.interpolate(e, 3, mode='bilinear')",
    "F.interpolate(m, scale_factor=1.6, recompute_scale_factor=True, mode='bilinear')",
    "F.interpolate(m, scale_factor=1.6, recompute_scale_factor=True, mode='nearest')",
    "F.interpolate(n.to(torch.uint8), 7)", "F.interpolate(f.half(), 7, mode='bilinear')",
    "F.interpolate(m.transpose(2, 3), 3)", "F.upsample(m, 3)", "F.upsample_nearest(m, 3)",
    "F.upsample_bilinear(m, (3, 7))", "F.upsample(m, scale_factor=2, mode='bicubic')",
]  # fmt: skip
SHUFFLED = [
    "F.pixel_shuffle(p, 2)", "F.pixel_shuffle(p[0], 2)", "F.pixel_unshuffle(p, 2)", "torch.pixel_shuffle(p, 1)",
    "torch.pixel_unshuffle(p[None], 2)", "F.pixel_shuffle(n[:, :0], 2)", "F.channel_shuffle(p, 2)",
    "torch.channel_shuffle(p, 4)", "F.channel_shuffle(p[0], 1)", "F.channel_shuffle(p.transpose(1, 2), 2)",
]  # fmt: skip
MISTAKES = [
    *[f"F.interpolate(m, {a})" for a in (
        "", "size=3, scale_factor=2", "size=(3,)", "size=(3, 3, 3)", "scale_factor=(2.,)",
        "size=3, align_corners=True", "size=3, antialias=True", "size=0", "size=-1", "scale_factor=0.1",
        "size=3, mode='foo'", "size=5, recompute_scale_factor=True", "scale_factor=-1.", "3, mode='linear'",
        "3, mode='trilinear'",
    )],
    "F.interpolate(v, 3, mode='bilinear')", "F.interpolate(w, 3, mode='bicubic')", "F.interpolate(v[0], 3)",
    "F.interpolate(w[None], 3)", "F.interpolate(m[:, :0], 3)", "F.interpolate(m[:, :, :0], 3)",
    *[f"F.interpolate({x}.long(), 3, mode={mode!r})" for x, modes in SHAPED.items() for mode in modes],
    "F.pixel_shuffle(m, 2)", "F.pixel_shuffle(m[0, 0], 2)", "F.pixel_shuffle(m, 0)", "F.pixel_shuffle(m, 2.0)",
    "F.pixel_unshuffle(m, 2)", "F.pixel_unshuffle(m.transpose(2, 3), 2)", "F.pixel_unshuffle(m[0, 0], 2)",
    "F.pixel_unshuffle(m, -1)", "F.channel_shuffle(m, 2)", "F.channel_shuffle(m[0, 0], 2)",
    "F.channel_shuffle(m, 0)", "F.pixel_shuffle(3, 2)",
]  # fmt: skip
MODULES = [
    "Upsample(scale_factor=2)(m)", "Upsample(size=(3, 7), mode='bilinear')(m)", "Upsample(scale_factor=(2, 3))(m)",
    "Upsample(scale_factor=1.5, mode='bicubic', align_corners=True)(m)", "UpsamplingNearest2d(3)(m)",
    "UpsamplingBilinear2d(scale_factor=2)(m)", "PixelShuffle(2)(p)", "PixelUnshuffle(2)(p)", "ChannelShuffle(4)(p)",
    "Upsample(scale_factor=1.5, mode='linear', recompute_scale_factor=True)(v)",
]  # fmt: skip


def rounding(program: str) -> int:
    """How many ULPs the order of operations may make: PyTorch fuses products and sums. The weights
    of "bicubic" are polynomials whose terms cancel: against float64 PyTorch's are 13 ULPs off."""
    return 64 if "cubic" in program else 8 if "linear" in program.lower() else 0


@pytest.mark.parametrize("program", RESIZED)
def test_resized(program: str) -> None:
    ulps = rounding(program)
    same(F + program, ulps=ulps, grad_ulps=max(ulps, 4), **INPUTS)


@pytest.mark.parametrize("program", SHUFFLED)
def test_shuffled(program: str) -> None:
    same(F + program, **INPUTS)


@pytest.mark.parametrize(
    "program", [p for p in RESIZED + SHUFFLED if not any(x in p for x in ("(f", "(n", "(e"))]
)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient("import warnings\nwarnings.simplefilter('ignore')\n" + F + program, **INPUTS)


@pytest.mark.parametrize(
    "call",
    ["interpolate(m, 7)", "interpolate(m, 7, mode='bilinear')", "interpolate(m, 7, mode='bicubic')",
     "interpolate(m, 7, mode='nearest-exact')", "pixel_shuffle(m[:, :1].expand(2, 4, 4, 5), 2)"],
)  # fmt: skip
def test_graph_of_the_gradient(call: str) -> None:
    same(
        f"{F}x = m * 1\ny = F.{call.replace('m', 'x', 1) if 'pixel' in call else call}\n"
        "torch.autograd.grad((y * y).sum(), m, create_graph=True)[0]",
        order=0, ulps=rounding(call), **INPUTS,
    )  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(F + program, order=0, **INPUTS)


@pytest.mark.parametrize("program", MODULES)
def test_modules(program: str) -> None:
    same(f"torch.nn.{program}", ulps=rounding(program), **INPUTS)
    module = program.rpartition("(")[0]
    names = "[n for n in vars(m) if n[0] != '_']"
    same(f"m = torch.nn.{module}\n(repr(m), [(n, getattr(m, n)) for n in sorted({names})])")


def test_antialias_is_refused() -> None:
    import minigrad

    x = minigrad.ones(1, 1, 4, 4)
    with pytest.raises(NotImplementedError, match="antialias=True is not supported"):
        minigrad.nn.functional.interpolate(x, size=2, mode="bilinear", antialias=True)
