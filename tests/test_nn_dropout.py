"""Dropout: PyTorch's masks for the same seed, its graph, its errors."""

import numpy as np
import pytest
from both import on_both
from oracle import same

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((4, 3, 5, 5))
INPUTS = {
    "images": IMAGES.astype(np.float32),
    "double": IMAGES,
    "half": IMAGES.astype(np.float16),
    "matrix": RNG.standard_normal((40, 30)).astype(np.float32),
    "vector": RNG.standard_normal(30).astype(np.float32),
}
ELEMENTWISE = ("dropout", "alpha_dropout")
OF_CHANNELS = ("dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout")
SEEDED = "torch.manual_seed(3); ({call}, torch.rand(3))"  # the last: as many words were drawn


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", [*ELEMENTWISE, *OF_CHANNELS])
def test_masks_values_and_graph_are_pytorchs(name: str, kind: str, p: float) -> None:
    x = INPUTS[kind]
    for call in (f"{name}(x, {p}, True)", f"{name}(x * 1, {p}, True, True)"):
        same(SEEDED.format(call=f"torch.nn.functional.{call}"), x=x)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_native_dropout(p: float) -> None:
    for train in (True, False):
        same(SEEDED.format(call=f"torch.native_dropout(x, {p}, {train})"), x=INPUTS["images"])
    # PyTorch forgets the scale in the gradient of this one, so only values are compared.
    same(SEEDED.format(call=f"torch.native_dropout(x, {p}, None)"), x=INPUTS["images"], order=0)


def test_functions_of_the_top_level() -> None:
    for name in ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"):
        same(SEEDED.format(call=f"torch.{name}(x, 0.3, True)"), x=INPUTS["images"])
        same(SEEDED.format(call=f"torch.{name}_(x * 1, 0.3, True)"), x=INPUTS["images"])
        same(f"torch.{name}(x, 0.3, False) is x", x=INPUTS["images"])


def test_coins_follow_the_order_of_memory() -> None:
    for name in ("dropout", "dropout2d"):
        call = f"torch.nn.functional.{name}(x.permute(0, 2, 3, 1), 0.5)"
        same(SEEDED.format(call=call), x=INPUTS["images"])


@pytest.mark.parametrize(
    "call",
    [
        "torch.dropout(x, 1.5, True)", "torch.native_dropout(x, 1.5, True)",
        "F.dropout(x, -1)", "F.dropout(x, 'a')", "F.dropout([1.0])", "torch.nn.Dropout(2)",
        "F.feature_alpha_dropout(x[0, 0, 0], 0.5, True)", "F.dropout1d(x)", "F.dropout1d(x[0, 0, 0])",
        "F.dropout(torch.ones(3, dtype=torch.int64))",
        "F.dropout(torch.ones(3, dtype=torch.int64), 0.5, False)",
        "F.dropout(x, inplace=True)",
    ],
)  # fmt: skip
def test_errors(call: str) -> None:
    same(f"F = torch.nn.functional; {call}", x=INPUTS["images"])


@on_both
def test_modules(torch, log):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4)
    kinds = (
        "Dropout",
        "Dropout1d",
        "Dropout2d",
        "Dropout3d",
        "AlphaDropout",
        "FeatureAlphaDropout",
    )
    for kind in kinds:
        module = getattr(torch.nn, kind)(0.4)
        log(repr(module), module(x), module.eval()(x) is x)
        log(repr(getattr(torch.nn, kind)(0.25, inplace=True)))
        log.error(getattr(torch.nn, kind), -0.5)
