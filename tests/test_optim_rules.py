"""Update rules beside PyTorch's, in what its database does not try: shapes, dtypes, large
parameters, memory layouts, steps that are part of a graph, old checkpoints."""

import warnings

import numpy as np
import on_device
import pytest
import torch
from test_optim import Failure, outcome, same

import minigrad
from minigrad.optim import arithmetic, graph_arithmetic

RULES = {
    "SGD": [{"momentum": 0.9, "weight_decay": 0.1}, {"momentum": 0.9, "nesterov": True}],
    "Adam": [{}, {"weight_decay": 0.1, "amsgrad": True, "maximize": True}],
    "AdamW": [{}, {"amsgrad": True}],
    "NAdam": [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "RAdam": [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "Adamax": [{}, {"weight_decay": 0.1, "maximize": True}],
    "Adagrad": [{}, {"lr_decay": 0.5, "initial_accumulator_value": 0.1}],
    "Adadelta": [{}, {"rho": 0.5, "maximize": True}],
    "RMSprop": [{}, {"centered": True, "momentum": 0.5, "weight_decay": 0.1}],
    "Rprop": [{}, {"etas": (0.5, 1.5), "maximize": True}],
    "ASGD": [{}, {"t0": 2, "lambd": 0.1, "weight_decay": 0.1}],
}
CASES = [(name, options) for name, several in RULES.items() for options in several]
EXACT = ("SGD", "Adamax", "Rprop", "ASGD")
LIBRARIES = (torch, minigrad)


def drawn(seed, shape, dtype="float32"):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


def trained(t, name, options, params, steps, dtype="float32"):
    """An optimizer after some steps with drawn gradients."""
    optimizer = getattr(t.optim, name)(params, **options)
    for step in range(steps):
        for i, p in enumerate(params):
            p.grad = t.from_numpy(drawn([step, i], tuple(p.shape), dtype))
        optimizer.step()
    return optimizer


def everything(params, optimizer):
    found = {}
    for i, p in enumerate(params):
        found[f"parameter {i}"] = p.detach().numpy()
        for key, value in optimizer.state[p].items():
            found[f"{key} {i}"] = value.detach().numpy()
    return found


def assert_close(theirs, ours, ulps):
    """Within so many ULPs of the largest value of each array."""
    if on_device.chosen:
        ulps = max(ulps, on_device.ULPS)
    assert list(theirs) == list(ours)
    for name, expected in theirs.items():
        actual = ours[name]
        assert (expected.dtype, expected.shape) == (actual.dtype, actual.shape), name
        if expected.size and expected.tobytes() != actual.tobytes():
            unit = np.spacing(np.abs(expected).max())
            apart = np.abs(expected.astype(float) - actual.astype(float)).max() / unit
            assert apart <= ulps, f"{name}: {apart} ULP"


def bound(name):
    return 0 if name in EXACT else 12 if name == "Adadelta" else 4


# -- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_empty_and_large_parameters(name, options):
    """A parameter of several blocks gives what one of one block gives."""
    sizes = [(0,), (2, 0), (3 * arithmetic.BLOCK + 5,), (1,), (arithmetic.BLOCK,)]
    found = []
    for t in LIBRARIES:
        params = [t.from_numpy(drawn(7, size)).requires_grad_() for size in sizes]
        found.append(everything(params, trained(t, name, options, params, 7)))
    assert_close(*found, bound(name))


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_memory_layouts(name, options):
    """Transposed, strided and large transposed parameters; the state has their layout."""
    found, strides = [], []
    for t in LIBRARIES:
        bases = [t.from_numpy(drawn(7, size)) for size in ((3, 4), (8, 6), (300, 200))]
        params = [bases[0].t(), bases[1][::2, 1::2], bases[2].t()]
        params = [p.requires_grad_() for p in params]
        optimizer = trained(t, name, options, params, 3)
        found.append(everything(params, optimizer) | {"base": bases[1].detach().numpy()})
        strides.append(
            [
                v.stride()
                for p in (params[0], params[2])
                for v in optimizer.state[p].values()
                if v.dim() == 2
            ]
        )
    assert_close(*found, bound(name))
    assert strides[0] == strides[1]


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_half_precision(name, options):
    """float16 in whole vectors; PyTorch rounds other elements twice (see `arithmetic.py`)."""
    options = options | ({"eps": 1e-2} if "eps" in defaults(name) else {})
    found = []
    for t in LIBRARIES:
        params = [t.from_numpy(drawn(7, s, "float16")).requires_grad_() for s in ((64,), (32, 4))]
        found.append(everything(params, trained(t, name, options, params, 7, "float16")))
    assert_close(*found, 0 if name in ("Rprop", "SGD") else 4)


def defaults(name):
    return getattr(torch.optim, name)([torch.ones(1, requires_grad=True)]).defaults


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_changes_are_in_place_and_noticed(name, options):
    for t in LIBRARIES:
        p = t.ones(3, requires_grad=True)
        values, before = p.detach(), p._version
        optimizer = trained(t, name, options, [p], 1)
        assert p._version > before
        assert p.is_leaf
        assert p.requires_grad
        assert values.tolist() == p.tolist() != [1.0, 1.0, 1.0]
        versions = {k: v._version for k, v in optimizer.state[p].items() if v.dim()}
        p.grad = t.ones(3)
        optimizer.step()
        assert all(optimizer.state[p][k]._version > n for k, n in versions.items())


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_versions(name, options):
    """Of a parameter and of its count of steps: as many changes as PyTorch's loop over single
    tensors makes; of the rest of the state: whether a step changed it."""
    for size in (1, 3):
        versions = []
        for t in LIBRARIES:
            p = t.ones(size, requires_grad=True)
            alone = {"foreach": False} if t is torch else {}
            optimizer = trained(t, name, {**options, **alone}, [p], 2)
            state = optimizer.state[p]
            versions.append([p._version, state["step"]._version if "step" in state else 0])
            before = {key: value._version for key, value in state.items()}
            p.grad = t.ones(size)
            optimizer.step()
            versions[-1].append({key: state[key]._version > n for key, n in before.items()})
        assert versions[0] == versions[1]


@pytest.mark.parametrize("name", RULES)
def test_parameters_without_gradient(name):
    def program(t):
        p, q = (t.ones(2, requires_grad=True) for _ in "pq")
        optimizer = getattr(t.optim, name)([p, q])
        q.grad = t.zeros(2)
        optimizer.step()
        return [p, len(optimizer.state), list(optimizer.state[p])]

    same(program)


@pytest.mark.parametrize("name", RULES)
def test_closures(name):
    def program(t):
        p = t.ones(2, requires_grad=True)
        optimizer = getattr(t.optim, name)([p])

        def closure():
            optimizer.zero_grad()
            loss = (p * 3).sum()
            loss.backward()
            return loss

        with t.no_grad():
            return [optimizer.step(closure).item(), p.grad, optimizer.step() is None]

    same(program)


@pytest.mark.parametrize("name", RULES)
def test_infinities_are_silent(name):
    def program(t):
        p = t.ones(3, requires_grad=True)
        p.grad = t.tensor([1e38, float("inf"), float("nan")])
        optimizer = getattr(t.optim, name)([p], lr=0.1)
        optimizer.step()
        optimizer.step()
        return t.isfinite(p)

    same(program)


# -- arithmetic -----------------------------------------------------------------------------------

OPERATIONS = {
    "add_scaled_": ("add_", lambda x, a, b: (x, a, -0.3), lambda x, a, b: x.add_(a, alpha=-0.3)),
    "lerp_ near": ("lerp_", lambda x, a, b: (x, a, 0.1), lambda x, a, b: x.lerp_(a, 0.1)),
    "lerp_ far": ("lerp_", lambda x, a, b: (x, a, 0.9), lambda x, a, b: x.lerp_(a, 0.9)),
    "addcmul_": (
        "addcmul_", lambda x, a, b: (x, a, b, 0.1), lambda x, a, b: x.addcmul_(a, b, value=0.1)
    ),
    "addcdiv_": (
        "addcdiv_", lambda x, a, b: (x, a, b, -0.1), lambda x, a, b: x.addcdiv_(a, b, value=-0.1)
    ),
    "scale_": ("scale_", lambda x, a, b: (x, 0.999), lambda x, a, b: x.mul_(0.999)),
    "divide_": ("divide_", lambda x, a, b: (x, 0.27), lambda x, a, b: x.div_(0.27)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_roundings(name, dtype):
    """Bit-equal to PyTorch at every size from 1 to 70, so that its vectors and tails are seen."""
    _, arguments, theirs = OPERATIONS[name]
    ours = getattr(arithmetic, name.split()[0])
    for size in range(1, 71):
        x, a, b = (drawn([i, size], size, dtype) for i in range(3))
        expected = theirs(*(torch.from_numpy(v.copy()) for v in (x, a, b))).numpy()
        ours(*arguments(x, a, b))
        assert x.tobytes() == expected.tobytes(), size


def test_both_arithmetics_have_the_same_functions():
    assert set(arithmetic.__all__) == set(graph_arithmetic.__all__)


# -- steps in the graph ---------------------------------------------------------------------------


def derivatives(t, name, options, steps):
    """The parameters after some steps, and the gradients of the sum of their squares with respect
    to the first parameters and to the gradients that the steps took."""
    w = t.tensor([1.0, -2.0, 0.5], dtype=t.float64, requires_grad=True)
    p = w.clone()
    optimizer = getattr(t.optim, name)([p], differentiable=True, **options)
    gradients = [w.detach().clone().mul(k).requires_grad_() for k in (0.7, 0.4)[:steps]]
    for gradient in gradients:
        p.grad = gradient.clone()
        optimizer.step()
    (p**2).sum().backward()
    results = (p, w.grad, *(g.grad for g in gradients))
    return [[0.0] * 3 if v is None else v.tolist() for v in results]


OVERWRITES_ITS_STATE = ("Adamax", "Rprop", "RMSprop", "Adam", "AdamW")


MAXIMIZED = [(name, {"maximize": True}) for name in dict.fromkeys(name for name, _ in CASES)]


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize(("name", "options"), [*CASES, *MAXIMIZED], ids=str)
def test_differentiable(name, options, steps):
    """In float64; but then three of PyTorch's correct their means with factors of float32."""
    ours = derivatives(minigrad, name, options, steps)
    try:
        theirs = derivatives(torch, name, options, steps)
    except RuntimeError:  # a second step overwrites what the first one's gradient needs
        assert name in OVERWRITES_ITS_STATE
        assert steps == 2
        return
    np.testing.assert_allclose(
        ours, theirs, rtol=2e-5 if name in ("Adam", "AdamW", "NAdam") else 1e-9, atol=1e-14
    )


def test_gradient_of_a_learning_rate():
    """d p' / d lr of Adam, against finite differences."""

    def after(lr):
        p = minigrad.tensor([1.0, 2.0], dtype=minigrad.float64, requires_grad=True).clone()
        optimizer = minigrad.optim.Adam([p], lr=lr, differentiable=True)
        p.grad = minigrad.tensor([0.3, -0.7], dtype=minigrad.float64)
        optimizer.step()
        return p.sum() + p.pow(2).sum()

    lr = minigrad.tensor(0.1, dtype=minigrad.float64, requires_grad=True)
    after(lr).backward()
    slope = (after(0.1 + 1e-6) - after(0.1 - 1e-6)).item() / 2e-6
    np.testing.assert_allclose(lr.grad.item(), slope, rtol=1e-6)


# -- arguments ------------------------------------------------------------------------------------

REFUSED = [
    lambda o, p: o.Adam(p, lr=-1),
    lambda o, p: o.Adam(p, lr=float("nan")),
    lambda o, p: o.Adam(p, eps=-1),
    lambda o, p: o.Adam(p, betas=(0.9, 1)),
    lambda o, p: o.Adam(p, betas=(0, 0)),
    lambda o, p: o.Adam(p, fused=True, foreach=True),
    lambda o, p: o.AdamW(p, fused=True, differentiable=True),
    lambda o, p: o.Adagrad(p, fused=True, foreach=True),
    lambda o, p: o.Adagrad(p, fused=True, differentiable=True),
    lambda o, p: o.Adagrad(p, eps=-1),
    lambda o, p: o.Adagrad(p, initial_accumulator_value=-1),
    lambda o, p: o.Adadelta(p, rho=-1),
    lambda o, p: o.Adadelta(p, eps=-1),
    lambda o, p: o.Adamax(p, betas=(-1, 0)),
    lambda o, p: o.NAdam(p, weight_decay=-1),
    lambda o, p: o.RAdam(p, eps=-1),
    lambda o, p: o.RMSprop(p, alpha=-1),
    lambda o, p: o.RMSprop(p, eps=-1),
    lambda o, p: o.Rprop(p, lr=-1),
    lambda o, p: o.ASGD(p, lr=-1),
    lambda o, p: o.LBFGS(p, lr=-1),
    lambda o, p: o.LBFGS([{"params": p}, {"params": p}]),
    lambda o, p: o.LBFGS([{"params": p[:1]}, {"params": p[1:]}]),
    lambda o, p: o.Adafactor(p, lr=-1),
    lambda o, p: o.Adafactor(p, weight_decay=-1),
    lambda o, p: o.Adafactor(p, eps=(None, -1)),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refusals(number):
    def program(t):
        return REFUSED[number](t.optim, [t.ones(2, requires_grad=True) for _ in "ab"])

    result, _ = same(program, either=True)
    assert isinstance(result, Failure)


def test_line_search_by_another_name():
    def program(t):
        p = t.ones(2, requires_grad=True)
        optimizer = t.optim.LBFGS([p], line_search_fn="armijo")

        def closure():
            optimizer.zero_grad()
            loss = (p**2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)

    result, _ = same(program, either=True)
    assert "strong_wolfe" in result


LBFGS = [
    {}, {"lr": 0.5, "history_size": 2}, {"max_iter": 3}, {"max_iter": 9, "max_eval": 4},
    {"tolerance_grad": 0.5}, {"tolerance_change": 0.2}, {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 2, "history_size": 1},
    {"line_search_fn": "strong_wolfe", "max_eval": 5, "lr": 0.3},
]  # fmt: skip


@pytest.mark.parametrize("options", LBFGS, ids=str)
def test_lbfgs(options):
    """Losses, parameters and all of the state after each of three steps."""

    def program(t):
        p = t.tensor([1.5, -0.5, 0.25], dtype=t.float64, requires_grad=True)
        optimizer = t.optim.LBFGS([p], **{"lr": 0.1, **options})
        calls = []

        def closure():
            optimizer.zero_grad()
            loss = (p**4).sum() + (p * p).sum() + (p[0] - 2 * p[1]) ** 2 + p[2]
            loss.backward()
            calls.append(loss.item())
            return loss

        numbers = []
        for _ in range(3):
            numbers += [optimizer.step(closure).item(), *p.tolist(), len(calls)]
            state = optimizer.state[p]
            numbers += [state["func_evals"], state["n_iter"], len(state.get("old_dirs", []))]
            numbers += [float(state.get(key, 0.0)) for key in ("t", "H_diag", "prev_loss")]
        return [*numbers, *calls]

    np.testing.assert_allclose(program(minigrad), program(torch), rtol=1e-7, atol=1e-9)


def test_lbfgs_on_a_valley():
    """Rosenbrock's function, whose minimum lies at (1, 1) at the end of a curved valley."""
    p = minigrad.tensor([-1.2, 1.0], dtype=minigrad.float64, requires_grad=True)
    optimizer = minigrad.optim.LBFGS([p], line_search_fn="strong_wolfe", max_iter=100)

    def closure():
        optimizer.zero_grad()
        loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(p.detach().numpy(), [1, 1], atol=1e-4)


# -- checkpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in RULES if n != "SGD"])
def test_old_checkpoints(name):
    """Those in which counters are numbers and groups lack the options that came later."""

    def program(t):
        params = [t.ones(2, requires_grad=True)]
        optimizer = trained(t, name, {}, params, 2)
        state = optimizer.state_dict()
        for key in ("step", "mu_product", "eta", "mu"):
            if key in state["state"][0]:
                state["state"][0][key] = state["state"][0][key].item()
        for key in ("foreach", "maximize", "capturable", "differentiable"):
            state["param_groups"][0].pop(key, None)
        other = getattr(t.optim, name)(params)
        other.load_state_dict(state)
        return [other.state_dict()["param_groups"], {k: v.dtype == t.float32 for k, v in
                other.state[params[0]].items()}]  # fmt: skip

    assert outcome(program, minigrad) == outcome(program, torch)


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in RULES:
            p = minigrad.ones(2, requires_grad=True)
            trained(minigrad, name, {}, [p], 2)


ADAFACTOR = [
    {"lr": 0.1, "weight_decay": 0.1},
    {"beta2_decay": -0.5, "d": 1.5, "eps": (1e-3, 1e-2), "maximize": True},
    {"lr": 1.0, "d": 2.0, "eps": (None, 0.5)},
]


@pytest.mark.parametrize("options", ADAFACTOR, ids=str)
def test_adafactor(options):
    """It keeps a matrix's squares by row and column, and a vector's as they are."""
    found = []
    for t in LIBRARIES:
        shapes = ((3, 4), (4, 1), (5,), (2, 3, 2), ())
        params = [t.from_numpy(drawn([9, i], shape)) for i, shape in enumerate(shapes)]
        params = [p.clone().requires_grad_() for p in params]
        found.append(everything(params, trained(t, "Adafactor", options, params, 4)))
    assert_close(*found, 16)


# -- the recorded arithmetic ----------------------------------------------------------------------

# What each function computes, of tensors (x, y, z) and of a number that is a tensor (n).
FORMULAS = {
    "scale_": lambda x, n: x * n,
    "scale": lambda x, n: x * n,
    "divide_": lambda x, n: x / n,
    "divide": lambda x, n: x / n,
    "add_number": lambda x, n: x + n,
    "multiply_": lambda x, y: x * y,
    "maximum_": lambda x, y: x.maximum(y),
    "assign_": lambda x, y: 0 * x + y,
    "negative": lambda x: -x,
    "magnitude": lambda x: x.abs(),
    "sqrt": lambda x: x.sqrt(),
    "reciprocal": lambda x: 1 / x,
    "sign": lambda x: x.sign(),
    "add_scaled_": lambda x, y, n: x + n * y,
    "add_scaled": lambda x, y, n: x + n * y,
    "lerp_": lambda x, y, n: x + n * (y - x),
    "addcmul_": lambda x, y, z, n: x + n * y * z,
    "addcmul": lambda x, y, z, n: x + n * y * z,
    "addcdiv_": lambda x, y, z, n: x + n * y / z,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_recorded_arithmetic(name):
    """What a later step overwrites is overwritten before gradients are asked for: state, and what
    was computed of it; no numbers, and not the gradient, of which `magnitude` is asked."""
    names = FORMULAS[name].__code__.co_varnames
    values = {"x": [1.5, 0.25, 3.0], "y": [0.5, 2.0, 4.0], "z": [0.75, 1.25, 2.0], "n": 0.3}
    weights = [1.0, -2.0, 0.5]
    theirs = [torch.tensor(values[n], dtype=torch.float64, requires_grad=True) for n in names]
    expected = FORMULAS[name](*theirs)
    (expected * torch.tensor(weights, dtype=torch.float64)).sum().backward()
    ours = [minigrad.tensor(values[n], dtype=minigrad.float64, requires_grad=True) for n in names]
    used = [leaf.clone() for leaf in ours]
    result = getattr(graph_arithmetic, name)(*used)
    result = used[0] if result is None else result
    loss = (result * minigrad.tensor(weights, dtype=minigrad.float64)).sum()
    np.testing.assert_allclose(result.tolist(), expected.tolist(), rtol=1e-15)
    with minigrad.no_grad():
        for key, tensor in zip((*names, "result"), (*used, result), strict=True):
            if key != "n" and name != "magnitude":
                tensor.fill_(7.0)
    loss.backward()
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(b.grad.tolist(), a.grad.tolist(), rtol=1e-15)


def test_recorded_choices():
    """The functions that take a condition or limits."""
    x = minigrad.tensor([-1.0, 0.5, 3.0], requires_grad=True)
    used = x.clone()
    graph_arithmetic.limit_(used, 0.0, 1.0)
    chosen = graph_arithmetic.choose(minigrad.tensor([True, False, True]), x * 2, 5.0, x)
    loss = used.sum() + chosen.sum()
    with minigrad.no_grad():
        used.fill_(7.0)
    loss.backward()
    assert chosen.tolist() == [-2, 5, 6]
    assert (x.grad.tolist(), chosen.dtype) == ([2, 1, 2], minigrad.float32)


# -- line search ----------------------------------------------------------------------------------


def searched(t, search, seed):
    """What a line search finds, and where it looks, if losses and gradients are small whole
    numbers that have nothing to do with each other: all its cases, and equal numbers in them."""
    rng = np.random.default_rng(seed)
    direction = t.tensor([0.5, -1.0], dtype=t.float64)
    steep = rng.integers(1, 9)
    options = (
        rng.choice([0.25, 0.5, 1.0]),
        rng.choice([0.25, 0.5, 0.9]),
        rng.choice([1e-9, 0.125, 0.5]),
    )
    limit, first = int(rng.choice([1, 2, 3, 5, 25])), float(rng.choice([0.5, 1.0, 2.0]))
    start = t.tensor([0.0, steep], dtype=t.float64)
    slope, tried = start.dot(direction), []

    def evaluate(distance):
        tried.append(float(distance))
        gradient = t.tensor(rng.integers(-6, 7, 2) / 2, dtype=t.float64)
        return float(rng.integers(0, 8)) / 2, gradient

    arguments = (evaluate, first, direction, 2.0, start, slope, *map(float, options), limit)
    try:
        found = search(*arguments)
    except ZeroDivisionError:
        found = ()
    start.fill_(0.0)  # what is returned lies elsewhere
    return [v.tolist() if isinstance(v, t.Tensor) else v for v in (*found, tried)]


@pytest.mark.parametrize(
    "seeds", [range(start, start + 100) for start in range(0, 600, 100)], ids=str
)
def test_line_search(seeds):
    """Every distance that is tried, and what is found."""
    from torch.optim.lbfgs import _strong_wolfe

    from minigrad.optim.line_search import strong_wolfe

    def theirs(evaluate, *arguments):
        return _strong_wolfe(lambda x, t, d: evaluate(t), None, *arguments)

    for seed in seeds:
        expected, actual = searched(torch, theirs, seed), searched(minigrad, strong_wolfe, seed)
        assert len(expected) == len(actual), seed
        for a, b in zip(expected, actual, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-12, err_msg=str(seed))


@pytest.mark.parametrize("name", ["c1", "c2", "tolerance_change", "max_ls"])
def test_defaults_of_the_line_search(name):
    import inspect

    from torch.optim.lbfgs import _strong_wolfe

    from minigrad.optim.line_search import strong_wolfe

    ours = {"tolerance_change": "tolerance", "max_ls": "max_evaluations"}.get(name, name)
    expected = inspect.signature(_strong_wolfe).parameters[name].default
    assert inspect.signature(strong_wolfe).parameters[ours].default == expected
