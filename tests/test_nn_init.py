"""`nn.init` beside PyTorch's: the same seed gives the same bits, the same mistake the same error."""

import inspect
import math
from typing import Any

import module_db
import numpy as np
import pytest
import torch
from both import neutral, on_both
from op_db import evenly

import minigrad

SHAPES = [(3, 5), (5, 3), (4, 4), (17, 40), (2, 3, 4), (6, 2, 3, 3)]
RANDOM = [
    "uniform_(t, -1, 3)", "normal_(t, 1, 2)", "trunc_normal_(t)", "trunc_normal_(t, std=0.02)",
    "trunc_normal_(t, 1.0, 2.0, 0.0, 1.5)", "trunc_normal_(t, 1.0, 1.0, 0.0, 2.0)",
    "trunc_normal_(t, 0.0, 1.0, 2.0, 3.0)", "xavier_uniform_(t, 2.0)",
    "trunc_normal_(t, std=0.5, a=-0.1, b=0.05)", "xavier_normal_(t, gain=0.5)",
    "kaiming_uniform_(t, 0.1, 'fan_out')", "kaiming_normal_(t, mode='fan_out', nonlinearity='relu')",
]  # fmt: skip


def drawn(library: Any, call: str, shape: tuple[int, ...], dtype: str, seeded: bool) -> Any:
    """The values after `call`, and the next number of the generator that was used."""
    library.manual_seed(5)
    generator = library.Generator().manual_seed(11) if seeded else None
    tensor = library.empty(shape, dtype=getattr(library, dtype), requires_grad=True)
    names = {"t": tensor, "init": library.nn.init}
    arguments = ", generator=generator)" if seeded else ")"
    result = eval(f"init.{call[:-1]}{arguments}", names | {"generator": generator})
    assert result is tensor
    assert tensor.requires_grad
    assert tensor.is_leaf
    assert tensor._version > 0
    return tensor.detach().numpy(), library.rand(3, generator=generator).tolist()


@pytest.mark.parametrize("seeded", [False, True], ids=["global", "generator"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", RANDOM)
def test_the_same_seed_gives_the_same_bits(call: str, dtype: str, seeded: bool) -> None:
    for shape in SHAPES:
        theirs, ours = (drawn(lib, call, shape, dtype, seeded) for lib in (torch, minigrad))
        np.testing.assert_array_equal(theirs[0], ours[0])
        assert theirs[1] == ours[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.5, 1.0])
def test_sparse(sparsity: float, dtype: str) -> None:
    theirs, ours = (
        drawn(lib, f"sparse_(t, {sparsity}, std=2.0)", (7, 5), dtype, False)
        for lib in (torch, minigrad)
    )
    np.testing.assert_array_equal(theirs[0], ours[0])
    assert theirs[1] == ours[1]


@pytest.mark.parametrize("seeded", [False, True], ids=["global", "generator"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_orthogonal(dtype: str, seeded: bool) -> None:
    for shape in SHAPES:
        (theirs, _), (ours, after) = (
            drawn(lib, "orthogonal_(t, gain=2.0)", shape, dtype, seeded)
            for lib in (torch, minigrad)
        )
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=64 * eps)
        matrix = ours.reshape(shape[0], -1) / 2
        product = matrix @ matrix.T if shape[0] <= matrix.shape[1] else matrix.T @ matrix
        np.testing.assert_allclose(product, np.eye(len(product)), rtol=0, atol=64 * eps)
        assert after == drawn(torch, "orthogonal_(t, gain=2.0)", shape, dtype, seeded)[1]


@pytest.mark.parametrize(
    ("a", "b", "std"), [(-2.0, 2.0, 1.0), (0.5, 3.0, 1.0), (2.0, 3.0, 1.0), (-1.0, 9.0, 4.0)]
)
def test_a_truncated_normal_has_its_distribution(a: float, b: float, std: float) -> None:
    minigrad.manual_seed(0)
    values = np.sort(minigrad.nn.init.trunc_normal_(minigrad.empty(20000), 0.0, std, a, b).numpy())
    assert a <= values[0] <= values[-1] <= b

    def cdf(x: float) -> float:
        return 0.5 * (1 + math.erf(x / std / math.sqrt(2)))

    expected = (np.vectorize(cdf)(values) - cdf(a)) / (cdf(b) - cdf(a))
    distance = np.abs(expected - np.arange(len(values)) / len(values)).max()
    assert distance < 1.63 / math.sqrt(len(values))  # Kolmogorov's bound at 1%


@on_both
def test_fixed_values(torch: Any, log: Any) -> None:
    init = torch.nn.init
    for shape in ((3, 4), (4, 3)):
        log(init.eye_(torch.empty(shape)), init.ones_(torch.empty(shape)))
        log(init.zeros_(torch.empty(shape)), init.constant_(torch.empty(shape), 0.3))
    for shape in ((3, 2, 3), (2, 3, 3, 4), (4, 2, 1, 2, 3), (2, 0, 3)):
        log(init.dirac_(torch.empty(shape)))
    log(init.dirac_(torch.empty(6, 2, 3), groups=2), init.dirac_(torch.empty(6, 3, 3, 3), 3))


@on_both
def test_mistakes(torch: Any, log: Any) -> None:
    init = torch.nn.init
    torch.manual_seed(0)
    vector, matrix = torch.empty(3), torch.empty(3, 3)
    for call in (init.xavier_uniform_, init.xavier_normal_, init.kaiming_normal_, init.eye_):
        log.error(call, vector)
    log.error(init.orthogonal_, vector)
    log.error(init.sparse_, vector, 0.5)
    log.error(init.dirac_, matrix)
    log.error(init.dirac_, torch.empty(3, 3, 3), 2)
    log.error(init.kaiming_uniform_, matrix, mode="fan_up")
    log.error(init.kaiming_uniform_, matrix, nonlinearity="gelu")
    log.error(init.trunc_normal_, matrix, 0.0, 1.0, 5.0, 6.0)
    log.error(init.uniform_, matrix, 2.0, 1.0)
    log.error(init.normal_, matrix, 0.0, -1.0)
    for name in ("tanh", "relu", "selu", "linear", "conv2d", "sigmoid", "conv_transpose3d", "gelu"):
        log.error(init.calculate_gain, name)
    for slope in (0.2, 3, True, "a", None):
        log.error(init.calculate_gain, "leaky_relu", slope)
    log(init.kaiming_uniform_(torch.empty(0, 3)), init.orthogonal_(torch.empty(0, 3)))


@on_both
def test_deprecated_names(torch: Any, log: Any) -> None:
    for name in (
        "uniform", "normal", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "eye",
    ):  # fmt: skip
        torch.manual_seed(1)
        log(name, getattr(torch.nn.init, name)(torch.empty(3, 3)))
    log(torch.nn.init.constant(torch.empty(2), 3.0), torch.nn.init.dirac(torch.empty(2, 2, 3)))
    log(torch.nn.init.sparse(torch.empty(4, 2), 0.5).shape == (4, 2))
    log(torch.nn.init.orthogonal(torch.empty(4, 2)).shape == (4, 2))


def test_all_names_with_their_signatures() -> None:
    assert sorted(torch.nn.init.__all__) == sorted(minigrad.nn.init.__all__)
    for name in torch.nn.init.__all__:
        if name.endswith("_") or name == "calculate_gain":
            theirs, ours = (
                [
                    (p.name, neutral(str(p.default)))
                    for p in inspect.signature(getattr(lib.nn.init, name)).parameters.values()
                ]
                for lib in (torch, minigrad)
            )
            assert ours == theirs, name


@pytest.mark.parametrize("name", [n for n in module_db.present() if not n.startswith("Lazy")])
@pytest.mark.filterwarnings("ignore")
def test_parameters_are_reset(name):
    """Whatever was in them: parameters and buffers as after the same call in PyTorch."""
    entry = module_db.entries()[name]
    for sample in evenly(module_db.samples(entry, torch.float32, True), 6):
        found = []
        for case in sample:
            library, parts = case.library, list(case.module.modules())
            with library.no_grad():
                for tensor in (*case.module.parameters(), *case.module.buffers()):
                    tensor.fill_(7)
            library.manual_seed(0)
            for part in parts:
                if hasattr(part, "reset_parameters"):
                    part.reset_parameters()
            found.append(
                {k: v.tolist() for k, v in case.module.state_dict().items() if v is not None}
            )
        assert found[1] == found[0], str(sample)
