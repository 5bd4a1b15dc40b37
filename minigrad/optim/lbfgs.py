"""L-BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.5; after minFunc, Schmidt 2005).

Newton's method goes along -H g, with H the inverse of the matrix of second derivatives. L-BFGS
knows of H only what the last steps s and changes of the gradient y tell, since H y is about s, and
computes H g from them in two loops without ever forming H.

One step of the optimizer is up to `max_iter` of these iterations, so it has to evaluate the loss
itself, with the closure. How far to go along a direction is `lr`, or found by `line_search`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .. import ops
from ..autograd.grad_mode import enable_grad, no_grad
from ..tensor import Tensor
from .arithmetic import add_scaled_
from .line_search import strong_wolfe
from .optimizer import Optimizer
from .rule import State, check_lr, number

__all__ = ["LBFGS"]

Closure = Callable[[], Any]


class LBFGS(Optimizer):
    """L-BFGS, for losses without noise; all parameters are one group.

    Args:
        params: tensors, or pairs (name, tensor).
        lr: how far to go along a direction (1: as far as Newton's method).
        max_iter: iterations in one step.
        max_eval: evaluations of the loss in one step; if None, 5/4 of `max_iter`.
        tolerance_grad: stop if no element of the gradient is larger.
        tolerance_change: stop if parameters or loss change by less.
        history_size: how many steps to remember.
        line_search_fn: "strong_wolfe", or None for steps of `lr`.

    Raises ValueError for a negative `lr` or several groups.
    """

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1, max_iter: int = 20,
        max_eval: int | None = None, tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_lr(lr)
        super().__init__(
            params,
            {
                "lr": lr, "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                "history_size": history_size, "line_search_fn": line_search_fn,
            },
        )  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def step(self, closure: Closure) -> Any:  # type: ignore[override]
        """Up to `max_iter` iterations; returns the loss before them. `closure` clears the
        gradients, computes the loss, calls `backward` and returns the loss."""
        with no_grad():
            return _Run(self, closure).iterate()

    # -- all parameters as one vector ------------------------------------------------------------

    def _gradient(self) -> Any:
        """All gradients in one vector; parameters without gradient have zeros."""
        parts = [ops.zeros_like(p) if p.grad is None else p.grad for p in self._params]
        return ops.cat([part.reshape(-1) for part in parts])

    def _move(self, distance: Any, direction: Any) -> None:
        """p += distance * direction, for all parameters."""
        start = 0
        for p in self._params:
            end = start + p.numel()
            p.add_(direction[start:end].view_as(p), alpha=float(distance))
            start = end

    def _restore(self, values: list[Tensor]) -> None:
        for p, value in zip(self._params, values, strict=True):
            p.copy_(value)


class _Run:
    """One call of `step`: the state of the optimizer, and the loss and gradient at the moment."""

    def __init__(self, optimizer: LBFGS, closure: Closure) -> None:
        self.optimizer, self.closure = optimizer, closure
        self.options = optimizer.param_groups[0]
        self.lr = number(self.options["lr"])
        self.state: State = optimizer.state[optimizer._params[0]]
        self.state.setdefault("func_evals", 0)
        self.state.setdefault("n_iter", 0)
        self.evaluations = 0
        self.initial_loss = self.evaluate()

    def evaluate(self) -> Any:
        """Computes loss and gradient where the parameters are now."""
        with enable_grad():
            loss = self.closure()
        self.loss, self.g = _value(loss), self.optimizer._gradient()
        self.count(1)
        return loss

    def count(self, evaluations: int) -> None:
        self.evaluations += evaluations
        self.state["func_evals"] += evaluations

    def flat(self) -> bool:
        return bool(self.g.abs().max() <= self.options["tolerance_grad"])

    def iterate(self) -> Any:
        if self.flat():
            return self.initial_loss
        state, tolerance = self.state, self.options["tolerance_change"]
        for iteration in range(1, self.options["max_iter"] + 1):
            state["n_iter"] += 1
            d = self.direction()
            self.remember()
            slope = self.g.dot(d)
            if slope > -tolerance:
                break
            self.advance(d, slope, last=iteration == self.options["max_iter"])
            if self.finished(d, iteration):
                break
        return self.initial_loss

    def finished(self, d: Any, iteration: int) -> bool:
        state, options = self.state, self.options
        tolerance = options["tolerance_change"]
        return bool(
            iteration == options["max_iter"]
            or self.evaluations >= options["max_eval"]
            or self.flat()
            or d.mul(state["t"]).abs().max() <= tolerance
            or abs(self.loss - state["prev_loss"]) < tolerance
        )

    def direction(self) -> Any:
        """-H g; in the very first iteration -g."""
        state = self.state
        if state["n_iter"] == 1:
            state.update(d=self.g.neg(), t=None, old_dirs=[], old_stps=[], ro=[], H_diag=1)
        else:
            self.learn()
            state["d"] = self.two_loops()
        return state["d"]

    def learn(self) -> None:
        """Adds the last step s and the change y of the gradient to the history."""
        state = self.state
        y, s = self.g.sub(state["prev_flat_grad"]), state["d"].mul(state["t"])
        ys = y.dot(s)
        if ys > 1e-10:
            history = (state["old_dirs"], y), (state["old_stps"], s), (state["ro"], 1.0 / ys)
            for values, newest in history:
                if len(values) == self.options["history_size"]:
                    values.pop(0)
                values.append(newest)
            state["H_diag"] = ys / y.dot(y)

    def two_loops(self) -> Any:
        """-H g by the two-loop recursion: from the newest step to the oldest, and back."""
        state = self.state
        y, s, ro = state["old_dirs"], state["old_stps"], state["ro"]
        al = state.setdefault("al", [None] * self.options["history_size"])
        q = self.g.neg()
        for i in reversed(range(len(y))):
            al[i] = s[i].dot(q) * ro[i]
            add_scaled_(q._array, y[i]._array, -al[i].item())
        r = q.mul(state["H_diag"])
        for i in range(len(y)):
            be = y[i].dot(r) * ro[i]
            add_scaled_(r._array, s[i]._array, (al[i] - be).item())
        return r

    def remember(self) -> None:
        """Keeps gradient and loss for the next iteration, and sets the first guess of a step."""
        state = self.state
        state["prev_flat_grad"], state["prev_loss"] = self.g, self.loss
        first = state["n_iter"] == 1
        state["t"] = min(1.0, 1.0 / self.g.abs().sum()) * self.lr if first else self.lr

    def advance(self, d: Any, slope: Any, last: bool) -> None:
        """Moves the parameters along `d`, and evaluates there unless it is the last time."""
        optimizer, name = self.optimizer, self.options["line_search_fn"]
        if name is None:
            optimizer._move(self.state["t"], d)
            if not last:
                self.evaluate()
            return
        if name != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        self.search(d, slope)
        optimizer._move(self.state["t"], d)

    def search(self, d: Any, slope: Any) -> None:
        """Finds the distance with which the strong Wolfe conditions hold."""
        start = [p.clone() for p in self.optimizer._params]

        def at(distance: Any) -> tuple[float, Any]:
            self.optimizer._move(distance, d)
            with enable_grad():
                loss = _value(self.closure())
            gradient = self.optimizer._gradient()
            self.optimizer._restore(start)
            return loss, gradient

        self.loss, self.g, self.state["t"], evaluations = strong_wolfe(
            at, self.state["t"], d, self.loss, self.g, slope,
            max_evaluations=self.options["max_eval"] - self.evaluations,
        )  # fmt: skip
        self.count(evaluations)


def _value(loss: Any) -> float:
    return float(loss.detach() if isinstance(loss, Tensor) else loss)
