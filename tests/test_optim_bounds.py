"""Optimizers beside PyTorch's at the bounds of their options: which numbers are refused, and what
L-BFGS does where a number is exactly at a tolerance."""

import pytest
from test_optim import same
from test_optim_options import OPTIMIZERS, made, options_of

# -- bounds ---------------------------------------------------------------------------------------

VALUES = [-1.0, -0.0, 1.0, float("nan"), (-0.5, 0.5), (0.5, -0.5), (1.0, 0.5), (0.5, 1.0),
          (0.0, 0.0), (0.5, float("nan")), (0.5, 1.5)]  # fmt: skip
NUMBERS = ("lr", "momentum", "dampening", "weight_decay", "betas", "eps", "rho", "alpha", "lambd",
           "t0", "lr_decay", "initial_accumulator_value", "momentum_decay", "etas", "beta2_decay",
           "d", "nesterov")  # fmt: skip


@pytest.mark.parametrize(("name", "key"), [(n, k) for n in OPTIMIZERS for k in options_of(n)
                                           if k in NUMBERS], ids=str)  # fmt: skip
def test_which_numbers_are_refused(name, key):
    """One option at a time, at its bounds and beyond."""

    def program(t):
        found, pair = [], isinstance(made(t, name).defaults[key], tuple)
        for value in VALUES:
            if isinstance(value, tuple) == pair:
                try:
                    made(t, name, **{key: value})
                    found.append("accepted")
                except ValueError as error:
                    found.append(str(error))
        return found

    same(program)


BOUNDS = [  # the gradient is 0.5 first, and 0.25 after the first step
    {"tolerance_grad": 0.5}, {"tolerance_grad": 0.25}, {"tolerance_change": 0.25},
    {"tolerance_change": 0.125}, {"tolerance_change": 0.09375}, {"max_eval": 1}, {"max_eval": 2},
    {"tolerance_change": 0.0625}, {"history_size": 1}, {"max_iter": 1}, {"max_iter": 2},
]  # fmt: skip


@pytest.mark.parametrize("options", BOUNDS, ids=str)
def test_lbfgs_at_its_tolerances(options):
    """Where a number is exactly at the tolerance, or at the limit of evaluations."""

    def program(t):
        p = t.tensor([0.5], dtype=t.float64, requires_grad=True)
        options_ = {"lr": 0.5, "tolerance_grad": 0.0, "tolerance_change": 0.0} | options
        optimizer = t.optim.LBFGS([p], **options_)
        calls = []

        def closure():
            optimizer.zero_grad()
            loss = (p * p).sum() / 2
            loss.backward()
            calls.append(p.item())
            return loss

        optimizer.step(closure)
        state = optimizer.state[p]
        return [calls, p.item(), state["n_iter"], state["func_evals"], len(state["old_dirs"])
                if "old_dirs" in state else -1]  # fmt: skip

    same(program)


@pytest.mark.parametrize("lr", [2e-10, 2.5e-10, 1e-10])
def test_lbfgs_learns_of_curvature_above_a_bound(lr):
    """A change of the gradient of -1/2 along a step of -lr: their product must exceed 1e-10."""

    def program(t):
        p = t.zeros(1, dtype=t.float64, requires_grad=True)
        optimizer = t.optim.LBFGS([p], lr=lr, max_iter=4, tolerance_grad=0.0, tolerance_change=0.0)
        gradients = [1.0]

        def closure():
            p.grad = t.tensor([gradients[-1]], dtype=t.float64)
            gradients.append(0.5)
            return p.grad.sum()

        optimizer.step(closure)
        return len(gradients), len(optimizer.state[p]["old_dirs"])

    same(program)
