"""Averaged models beside PyTorch's: statistics of batch normalisation, several dtypes, defaults; and
which line the warnings of optimizers and schedules name."""

import warnings

import numpy as np
import pytest
import torch
from test_lr_scheduler import averaging, model, optimizer, scheduler_module
from test_optim import same
from test_optim_rules import LIBRARIES, drawn

import minigrad

# -- averages -------------------------------------------------------------------------------------


class Normalised:
    """A model with batch normalisation, and batches for it."""

    def __init__(self, t, dtype="float32"):
        self.model = t.nn.Sequential(
            t.nn.BatchNorm1d(3), t.nn.Identity(), t.nn.BatchNorm1d(3, momentum=0.25)
        ).to(getattr(t, dtype))
        self.batches = [t.from_numpy(drawn([8, i], (5, 3), dtype)) * (i + 1) for i in range(3)]
        self.model(self.batches[2])

    def shown(self):
        layers = self.model[0], self.model[2]
        numbers = [[m.running_mean, m.running_var] for m in layers]
        return (
            [np.round(v.tolist(), 4).tolist() for pair in numbers for v in pair],
            [[m.num_batches_tracked.item(), m.momentum, m.training] for m in layers],
            [p.grad is None for p in self.model.parameters()], self.model.training,
        )  # fmt: skip


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "loader",
    [lambda b: b, lambda b: [(x, 1) for x in b], lambda b: [[x] for x in b], lambda b: iter(())],
)
@pytest.mark.parametrize("device", [None, "cpu"])
def test_update_bn(training, loader, device):
    """The means of all batches; momenta and mode are restored."""

    def program(t):
        it = Normalised(t)
        it.model.train(training)
        it.model[0].eval()
        before = it.shown()
        averaging(t).update_bn(loader(it.batches), it.model, device)
        return [before, it.shown()]

    same(program)


def test_update_bn_without_batch_normalisation():
    """Then nothing is read, and the mode stays."""

    def program(t):
        m = model(t).eval()
        batches = iter([1, 2])
        averaging(t).update_bn(batches, m)
        return [m.training, list(batches)]

    same(program)


@pytest.mark.parametrize("kind", ["none", "ema", "multi ema", "multi swa"])
@pytest.mark.parametrize("use_buffers", [False, True])
def test_averages_of_several_dtypes(kind, use_buffers):
    """Parameters of float32 and float64, and a counter; the copy is called as the model is."""

    def program(t):
        u = averaging(t)
        options = {
            "none": {}, "ema": {"avg_fn": u.get_ema_avg_fn()},
            "multi ema": {"multi_avg_fn": u.get_ema_multi_avg_fn(0.75)},
            "multi swa": {"multi_avg_fn": u.get_swa_multi_avg_fn()},
        }[kind]  # fmt: skip
        m = t.nn.Linear(2, 1)
        m.wide = t.nn.Parameter(t.tensor([1.5, -2.0], dtype=t.float64))
        whole = kind != "multi swa"  # PyTorch's divides no whole numbers
        m.register_buffer("count", t.tensor([40, 7], dtype=t.int64 if whole else t.float64))
        averaged = u.AveragedModel(m, "cpu", use_buffers=use_buffers, **options)
        for _ in range(4):
            with t.no_grad():
                for p in m.parameters():
                    p.add_(0.5)
                m.count.add_(8)
            averaged.update_parameters(m)
        x = t.ones(3, 2)
        found = [averaged.module.wide, averaged.module.count, averaged.n_averaged]
        return [*found, tuple(averaged(x).shape), averaged(input=x).requires_grad,
                averaged.module.weight is m.weight, list(averaged.state_dict())]  # fmt: skip

    same(program)


def test_means_of_whole_numbers():
    """In place as in new memory (PyTorch's raises in place)."""
    u = averaging(minigrad)
    for values in ([40, 7], [3, -8]):
        average, newest = minigrad.tensor([10, 20]), minigrad.tensor(values)
        expected = averaging(torch).get_swa_avg_fn()(
            torch.tensor([10, 20]), torch.tensor(values), 3
        )
        u.get_swa_multi_avg_fn()([average], [newest], 3)
        assert average.tolist() == expected.to(torch.int64).tolist()
        assert newest.tolist() == values


def test_defaults_of_averages():
    """How much an exponential average keeps if nobody says it."""

    def program(t):
        u = averaging(t)
        a, b = (t.tensor([v], dtype=t.float64) for v in (1.0, 2.0))
        one = u.get_ema_avg_fn()(a, b, 3)
        u.get_ema_multi_avg_fn()([a], [b], 3)
        return [one, a]

    same(program)


# -- warnings -------------------------------------------------------------------------------------

LINES = {
    "duplicates": lambda t, s: t.optim.SGD([t.w, t.w]),
    "duplicates, Adam": lambda t, s: t.optim.Adam([t.w, t.w]),
    "an epoch": lambda t, s: s.StepLR(optimizer(t), 3).step(2),
    "an epoch, cyclic": lambda t, s: s.CyclicLR(optimizer(t), 0.1, 0.2).step(2),
    "an epoch, plateau": lambda t, s: s.ReduceLROnPlateau(optimizer(t)).step(2.0, 1),
    "order": lambda t, s: s.StepLR(optimizer(t), 3).step(),
    "get_lr of SWALR": lambda t, s: averaging(t).SWALR(optimizer(t), 0.1).get_lr(),
    "get_lr of LambdaLR": lambda t, s: s.LambdaLR(optimizer(t), lambda e: 1.0).get_lr(),
    "get_lr of MultiplicativeLR": lambda t, s: s.MultiplicativeLR(optimizer(t), float).get_lr(),
    "get_lr of StepLR": lambda t, s: s.StepLR(optimizer(t), 3).get_lr(),
    "get_lr of MultiStepLR": lambda t, s: s.MultiStepLR(optimizer(t), [3]).get_lr(),
    "get_lr of ConstantLR": lambda t, s: s.ConstantLR(optimizer(t)).get_lr(),
    "get_lr of LinearLR": lambda t, s: s.LinearLR(optimizer(t)).get_lr(),
    "get_lr of ExponentialLR": lambda t, s: s.ExponentialLR(optimizer(t), 0.9).get_lr(),
    "get_lr of PolynomialLR": lambda t, s: s.PolynomialLR(optimizer(t)).get_lr(),
    "get_lr of CosineAnnealingLR": lambda t, s: s.CosineAnnealingLR(optimizer(t), 3).get_lr(),
    "get_lr of warm restarts": lambda t, s: s.CosineAnnealingWarmRestarts(optimizer(t), 3).get_lr(),
    "get_lr of CyclicLR": lambda t, s: s.CyclicLR(optimizer(t), 0.1, 0.2).get_lr(),
    "get_lr of OneCycleLR": lambda t, s: s.OneCycleLR(optimizer(t), 0.1, 9).get_lr(),
}


@pytest.mark.parametrize("case", LINES)
def test_the_line_that_a_warning_names(case):
    """The user's, where the call is. PyTorch names one of its own for `get_lr` and duplicates."""
    found = []
    for t in LIBRARIES:
        t.w = t.zeros(1, requires_grad=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            LINES[case](t, scheduler_module(t))
        del t.w
        found.append([(w.category.__name__, str(w.message)) for w in caught])
    places = {(w.filename, w.lineno) for w in caught}
    assert found[0] == found[1] != []
    assert places == {(__file__, LINES[case].__code__.co_firstlineno)}


def test_a_replaced_step_is_named_at_the_call():
    o = optimizer(minigrad)
    scheduler = minigrad.optim.lr_scheduler.StepLR(o, 3)
    o.step = lambda: None
    with pytest.warns(UserWarning, match="overridden") as caught:
        scheduler.step()
    assert caught[0].filename == __file__
