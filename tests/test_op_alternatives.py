"""Every alternative of every line of `op_lines.py`, on shapes at the borders of what is valid.

The property tests draw a few examples per line; here each word in braces is taken once on tensors
without dimensions, of one element, without elements, and of the usual sizes, in two memory
layouts. Values, gradients, second derivatives, strides and nodes are PyTorch's, and a result lies
in the memory of its input if and only if it does in PyTorch.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from op_calls import Call, _moved, _shape_spec
from op_lines import CALLS
from oracle import LIBRARIES, Raised, flat
from strategies import POOL, Program, Shape, literal
from test_properties import _filled, assert_same, attempt, derivatives

SHAPES: list[Shape] = [(), (1,), (3,), (2, 3), (2, 1, 2), (0, 2)]
SIZES = [{"n": 3, "m": 2, "k": 4, "b": 2}, {"n": 1, "m": 1, "k": 1, "b": 1}]
COMBINATIONS = 8  # of the words in braces, at most, for a shape

# Where the result of a transposed tensor lies otherwise in memory than PyTorch's, or where PyTorch
# copies it first or takes another kernel: strides and nodes are compared for whole tensors only.
LAID_OUT_OTHERWISE = re.compile(
    r"\{2\|0.5\|1\} \*\* x|F.logsigmoid|torch.sort|torch.cumm(ax|in)|torch.special.zeta|torch.mvlgamma"
    r"|torch.polygamma|F.group_norm|F.scaled_dot"
)


def words(template: str, shape: Shape, sizes: dict[str, int]) -> list[list[str]]:
    """What each pair of braces may stand for."""
    ndim = len(shape)
    every = {
        "dim": ["0", "-1", "1"][: max(ndim, 2)],
        "dim2": ["-1", "0"],
        "dims": ["()"] if not ndim else ["(0,)", "(-1,)", str(tuple(range(ndim)))],
        "pair": ["0, 1", "-1, 0"],
        "index": ["...", "None", ""] if not ndim else ["0:", "-1", "[0]", "..., None", "::2"],
        "shape": [str(shape)],
        **{name: [str(size)] for name, size in sizes.items()},
    }
    found = re.findall(r"\{([^{}]*)\}", template)
    return [every.get(word, word.split("|")) for word in found]


def filled(template: str, shape: Shape, sizes: dict[str, int]) -> list[str]:
    """The lines that a template stands for: all, or some in which each word occurs."""
    choices = words(template, shape, sizes)
    if any(not c for c in choices):
        return []
    every = list(itertools.product(*choices))
    if len(every) > COMBINATIONS:
        length = max(COMBINATIONS, *map(len, choices))
        draws = [random.Random(i).sample(c * length, length) for i, c in enumerate(choices)]
        every = list(
            zip(*[[*c, *d][:length] for c, d in zip(choices, draws, strict=True)], strict=True)
        )
    parts = re.split(r"\{[^{}]*\}", template)
    return [
        "".join(itertools.chain(*itertools.zip_longest(parts, chosen, fillvalue="")))
        for chosen in every
    ]


def shapes_of(call: Call) -> Iterator[tuple[dict[str, Shape], dict[str, int]]]:
    """The shapes of a call's tensors, and the sizes of the names in them."""
    specs = {name: _shape_spec(call, name) for name in call.names}
    named = any(spec not in "*=" for spec in specs.values())
    for sizes, free in itertools.product(
        SIZES if named else SIZES[:1], SHAPES if "*" in specs.values() else SHAPES[:1]
    ):
        known = {"x": free} | {
            name: tuple(int(sizes.get(word, word)) for word in spec.split())
            for name, spec in specs.items()
            if spec not in ("*", "=")
        }
        yield {n: known["x"] if s == "=" else known.get(n, free) for n, s in specs.items()}, sizes


def values(call: Call, name: str, shape: Shape, sizes: dict[str, int], rng: Any) -> Any:
    """An array of the kind that the call asks for under this name."""
    domain = call.specs.get(name, "").partition(":")[2].strip()
    if domain == "bool":
        return rng.integers(0, 2, shape) > 0
    if domain.startswith("<"):
        limit, *distinct = domain[1:].split()
        bound = int(limit) if limit.isdigit() else sizes[limit]
        if distinct and shape:
            rows = [rng.permutation(bound)[: shape[-1]] for _ in range(int(np.prod(shape[:-1])))]
            return np.array(rows, np.int64).reshape(shape)
        return rng.integers(0, bound, shape)
    return _moved(rng.choice(POOL, shape), domain)


def programs(call: Call) -> Iterator[tuple[Program, list[str]]]:
    """Programs that call the op, and the names of their leaves."""
    rng = np.random.default_rng(0)
    for number, (found, sizes) in enumerate(shapes_of(call)):
        lines, leaves = [], []
        for name, shape in found.items():
            array = values(call, name, shape, sizes, rng)
            grad = array.dtype.kind == "f" and name not in "cd"
            turned = array.ndim > 1 and number % 2 and not call.plain
            text = (
                f"{literal(array.T)}.permute({tuple(range(array.ndim))[::-1]})"
                if turned
                else literal(array)
            )
            lines.append(f"{name} = {text}" + (".requires_grad_()" if grad else ""))
            leaves += [name] if grad else []
        shape = next(iter(found.values()), ())
        if 0 in shape and "native_dropout" in call.template:
            continue  # PyTorch hands back the tensor itself, as the result of the op
        for line in filled(call.template, shape, sizes):
            yield Program([*lines, f"r = {line}"]), leaves


def sharing(library: Any, scope: dict[str, Any], names: list[str]) -> list[tuple[int, str]]:
    """Which results lie in which inputs' memory."""
    results = [t for t in flat(scope["r"]) if isinstance(t, library.Tensor) and t.numel()]
    return [
        (number, name)
        for number, result in enumerate(results)
        for name in names
        if np.may_share_memory(result.detach().numpy(), scope[name].detach().numpy())
    ]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_alternatives(call: Call) -> None:
    for program, leaves in programs(call):
        theirs, ours = scopes = [attempt(library, program) for library in LIBRARIES]
        try:
            plain = not any("permute" in line for line in program.lines[:-1])
            graph = call.graph and (plain or not LAID_OUT_OTHERWISE.match(call.template))
            assert_same(theirs["r"], ours["r"], 1.0, call.ulps, graph=graph)
            if isinstance(theirs["r"], Raised):
                continue
            shared = [sharing(*pair, call.names) for pair in zip(LIBRARIES, scopes, strict=True)]
            assert shared[1] == shared[0]
            slopes = [
                derivatives(library, scope, leaves, call.derivatives)
                for library, scope in zip(LIBRARIES, scopes, strict=True)
            ]
            assert_same(slopes[0][:1], slopes[1][:1], 1.0, 4 * call.ulps, gradient=True)
            zeros = [torch.zeros_like(theirs[name]) for name in leaves]
            assert_same(*(_filled(s, zeros) for s in slopes), 1.0, 16 * call.ulps, gradient=True)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{program}") from None
