"""Connectionist temporal classification: the probability of a text, whatever its timing.

A network says at each time step how probable each letter is, and a blank. All paths that spell the
target once repeated letters are joined and blanks are dropped count together. Their sum is found
by dynamic programming over the target with a blank around each letter, `- c - a - t -`: from each
place a path may stay, go on by one, or by two over a blank between different letters. Here in
logarithms, forward in time for the loss, and backward too for the gradient (A. Graves and others,
"Connectionist temporal classification", ICML 2006, whose alpha and beta these are).

Arrays are (T, N, S): time, batch, and the places of the longest target, S = 2 L + 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import either
from ..autograd.row import op
from ..dtypes import scalar_name
from .arithmetic import _not_implemented
from .recorded import on

Array = Any
Tensor = Any


class Places(NamedTuple):
    """The targets with blanks between, and how far each reaches."""

    letters: Array  # (N, S)
    may_skip: Array  # (N, S): whether a path may come here from two places before
    steps: Array  # (N,): the length of each input
    lengths: Array  # (N,): the length of each target


def _places(targets: Array, steps: Any, lengths: Any, blank: int) -> Places:
    longest = max(lengths)
    steps, lengths = (np.array(n, np.int64, like=targets) for n in (steps, lengths))
    letters = either.full((len(lengths), 2 * longest + 1), blank, np.int64, targets)
    inside = np.arange(longest, like=targets) < lengths[:, None]
    if targets.ndim == 1:  # one after the other
        letters[:, 1::2][inside] = targets
    else:
        letters[:, 1::2] = np.where(inside, targets[:, :longest], blank)
    may_skip = either.zeros(letters.shape, letters, bool)
    may_skip[:, 3::2] = letters[:, 3::2] != letters[:, 1:-2:2]
    return Places(letters, may_skip, steps, lengths)


def _at_places(log_probs: Array, places: Places) -> Array:
    """The log-probability of each place's letter, -inf beyond the end of a target: (T, N, S)."""
    wide = log_probs.astype(np.float64)
    index = np.broadcast_to(places.letters, (len(wide), *places.letters.shape))
    within = np.arange(places.letters.shape[1], like=wide) <= 2 * places.lengths[:, None]
    return np.where(within, np.take_along_axis(wide, index, axis=2), -np.inf)


def _moved(row: Array, by: int) -> Array:
    """Each place's value moved on by so many places: (N, S)."""
    out = np.full_like(row, -np.inf)
    out[:, by:] = row[:, : row.shape[1] - by]
    return out


def _sum_of_paths(row: Array, may_skip: Array) -> Array:
    """From the paths that end at each place those that have come one step further."""
    skipping = np.where(may_skip, _moved(row, 2), -np.inf)
    return np.logaddexp(np.logaddexp(row, _moved(row, 1)), skipping)


def _alphas(logs: Array, places: Places) -> Array:
    """The log-probability of all beginnings that end at each place: (T, N, S)."""
    alphas = np.full_like(logs, -np.inf)
    alphas[:1, :, :2] = logs[:1, :, :2]
    for t in range(1, len(logs)):
        alphas[t] = _sum_of_paths(alphas[t - 1], places.may_skip) + logs[t]
    return alphas


def _betas(logs: Array, places: Places) -> Array:
    """The log-probability of all endings that begin at each place: the same, read backwards."""
    betas = np.full_like(logs, -np.inf)
    place = np.arange(logs.shape[2], like=logs)
    last = (place == 2 * places.lengths[:, None]) | (place == 2 * places.lengths[:, None] - 1)
    from_here = np.zeros_like(places.may_skip)  # two places on
    from_here[:, :-2] = places.may_skip[:, 2:]
    for t in range(len(logs) - 1, -1, -1):
        end = (places.steps == t + 1)[:, None]
        after = betas[t + 1] if t + 1 < len(logs) else np.full_like(logs[0], -np.inf)
        onward = _sum_of_paths(after[:, ::-1], from_here[:, ::-1])[:, ::-1]
        betas[t] = np.where(end, np.where(last, 0.0, -np.inf), onward) + logs[t]
    return betas


def _total(alphas: Array, places: Places) -> Array:
    """The log-probability of each whole target: (N,)."""
    sample = np.arange(len(places.steps), like=alphas)
    ends = alphas[np.maximum(places.steps - 1, 0), sample]
    blank = ends[sample, 2 * places.lengths]
    letter = ends[sample, np.maximum(2 * places.lengths - 1, 0)]
    total = np.where(places.lengths > 0, np.logaddexp(blank, letter), blank)
    return np.where(places.steps > 0, total, np.where(places.lengths == 0, 0.0, -np.inf))


def _ctc_gradient(grad: Any, log_probs: Any, places: Places, zero_infinity: bool, xp: Any) -> Any:
    return on(ctc_backward, xp)(grad, log_probs, places, zero_infinity)


@op(
    "CtcLossBackward0",
    log_probs=_ctc_gradient,
)
def _ctc_loss(log_probs: Array, targets: Array, places: Places, zero_infinity: bool) -> Array:
    logs = _at_places(log_probs, places)
    return (0.0 - _total(_alphas(logs, places), places)).astype(log_probs.dtype)


@op(
    "torch::autograd::NotImplemented",
    grad0=_not_implemented("_ctc_loss_backward"),
    log_probs=_not_implemented("_ctc_loss_backward"),
)
def ctc_backward(grad0: Array, log_probs: Array, places: Places, zero_infinity: bool) -> Array:
    """The gradient for log-probabilities that come from `log_softmax`: what each letter was given
    minus what it takes part in, and 0 after the end of an input."""
    logs = _at_places(log_probs, places)
    alphas = _alphas(logs, places)
    through = alphas + _betas(logs, places)
    through -= np.where(np.isinf(logs), 0.0, logs)  # which both contain
    posterior = np.exp(through - _total(alphas, places)[None, :, None])
    classes = np.arange(log_probs.shape[2], like=log_probs)
    is_letter = (places.letters[:, :, None] == classes).astype(np.float64)  # (N, S, C)
    taken = np.matmul(posterior.transpose(1, 0, 2), is_letter).transpose(1, 0, 2)  # (T, N, C)
    out = (np.exp(log_probs.astype(np.float64)) - taken) * grad0[None, :, None]
    if zero_infinity:
        out = np.where(np.isinf(_total(alphas, places))[None, :, None], 0.0, out)
    out[np.arange(len(log_probs), like=out)[:, None] >= places.steps] = 0
    return out.astype(log_probs.dtype)


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: list[int], target_lengths: list[int],
    blank: int, zero_infinity: bool,
) -> Tensor:  # fmt: skip
    """Minus the log-probability of each target: (N,).

    log_probs: (T, N, C); targets: (N, L) or all of them in one vector. RuntimeError for lengths
    or a blank that do not fit, NotImplementedError for another dtype than float32 and float64.
    """
    array = log_probs._array
    _check(array, targets._array, input_lengths, target_lengths, blank)
    places = _places(targets._array, input_lengths, target_lengths, blank)
    return _ctc_loss(log_probs, targets, places, zero_infinity)


def _check(
    log_probs: Array,
    targets: Array,
    input_lengths: list[int],
    target_lengths: list[int],
    blank: int,
) -> None:
    steps, batch, classes = log_probs.shape
    if log_probs.dtype not in (np.float32, np.float64):
        kind = scalar_name(log_probs.dtype)
        raise NotImplementedError(f"\"ctc_loss_cpu\" not implemented for '{kind}'")
    if not log_probs.size:
        raise RuntimeError("log_probs tensor must not be empty")
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, lengths in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if len(lengths) != batch:
            raise RuntimeError(f"{name} must be of size batch_size")
    for n in target_lengths:
        if n < 0:
            raise RuntimeError(_wrong("target_lengths", "least", 0, n))
    _check_targets(targets, batch, target_lengths)
    for n in input_lengths:
        if n < 0:
            raise RuntimeError(_wrong("input_lengths", "least", 0, n))
        if n > steps:
            raise RuntimeError(_wrong("input_lengths", "most", steps, n))


def _wrong(name: str, bound: str, limit: int, value: int) -> str:
    return f"Expected {name} to have value at {bound} {limit}, but got value {value} {CHECKING}"


CHECKING = "(while checking arguments for ctc_loss_allocate_outputs)"


def _check_targets(targets: Array, batch: int, lengths: list[int]) -> None:
    expected = sum(lengths) if targets.ndim == 1 else batch
    if targets.shape[0] != expected:
        raise RuntimeError(
            f"Expected tensor to have size {expected} at dimension 0, but got size "
            f"{targets.shape[0]} for argument #2 'targets' {CHECKING}"
        )
    if targets.ndim == 2 and targets.shape[1] < max(lengths):
        raise RuntimeError(
            f"Expected tensor to have size at least {max(lengths)} at dimension 1, but got size "
            f"{targets.shape[1]} for argument #2 'targets' {CHECKING}"
        )
