"""Every in-place method, and index assignment, where writing is refused, or leaves traces that can be seen.

Each method is called on tensors of several kinds: a leaf, a view of one, memory that repeats, a
view that is one of several results, a tensor of inference mode, one whose value a node has kept,
other dtypes. The exception, the values afterwards (unchanged where the write was refused), the
versions of the tensor and of its base, and the nodes that were recorded are PyTorch's.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from oracle import LIBRARIES, Raised, without_library
from wrong_write_differences import DIFFERENT_WRITES

import minigrad

# The arguments; `y` has the shape of the tensor, `i` are indices, `m` is a mask, `b` two matrices.
ARGUMENTS = {
    **dict.fromkeys(
        ["add_", "arctan2_", "atan2_", "bitwise_left_shift_", "bitwise_right_shift_", "copy_", "copysign_",
         "div_", "divide_", "eq_", "float_power_", "floor_divide_", "fmod_", "ge_", "greater_", "greater_equal_",
         "gt_", "heaviside_", "hypot_", "ldexp_", "le_", "less_", "less_equal_", "logical_and_",
         "logical_or_", "logical_xor_", "lt_", "mul_", "multiply_", "ne_", "nextafter_", "not_equal_",
         "pow_", "remainder_", "resize_as_", "sub_", "subtract_", "true_divide_", "xlogy_", "clamp_min_",
         "clamp_max_"], "y"),
    "addbmm_": "b, b", "baddbmm_": "y, y", "addmm_": "y, y", "addmv_": "b[0], y", "addr_": "y[0], y[1]",
    "addcdiv_": "y, y", "addcmul_": "y, y", "lerp_": "y, 0.5", "clamp_": "0.3, y.max().item()",
    "clip_": "0.3, 0.6", "as_strided_": "(2,), (1,)", "bernoulli_": "y", "cumprod_": "0", "cumsum_": "0",
    "fill_": "2", "geometric_": "0.5", "index_add_": "0, i, y", "index_copy_": "0, i, y",
    "index_fill_": "0, i, 2", "index_put_": "(i,), y", "index_reduce_": "0, i, y, 'amax'",
    "masked_fill_": "m, 2", "masked_scatter_": "m, y", "mvlgamma_": "1", "polygamma_": "1",
    "put_": "i, y[0]", "renorm_": "2, 0, 0.5", "resize_": "(2,)", "scatter_": "0, i[None], y",
    "scatter_add_": "0, i[None], y", "scatter_reduce_": "0, i[None], y, 'sum'",
    "swapaxes_": "0, 1", "swapdims_": "0, 1", "transpose_": "0, 1", "squeeze_": "0", "unsqueeze_": "0",
    "random_": "5",
}  # fmt: skip
ASSIGNMENTS = [
    "x[i] = y", "x[i] = 2.0", "x[i] = y[0]", "x[m] = 2.0", "x[m] = y[m]", "x[0] = y[0]", "x[0] = 3",
    "x[..., 1:] = 3.0", "x[...] = y", "x[:] = y", "x[i, i] = 0.5", "x[None, i] = y", "x[1:][i] = y",
    "x[0, i] = y[0]", "x[i][0] = y[0]", "x[[0, 2]] = 1", "x[True] = y", "x[0] += y[0]", "x[i] *= y",
    "x += y", "x -= 1", "x *= y", "x /= 2", "x **= 2", "x //= y", "x %= y", "x &= y", "x |= y", "x <<= i",
]  # fmt: skip
SHAPES = {"addmv_": (3,), "baddbmm_": (2, 3, 3)}
# Random numbers, or memory that nobody has written yet.
RANDOM = {"bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_",
          "uniform_", "resize_", "resize_as_"}  # fmt: skip
# These write nothing; minigrad has no `set_`; numbers that are not complex are their conjugates.
LEFT_OUT = {"requires_grad_", "share_memory_", "detach_", "set_", "conj_physical_"}

# `t` is a fresh tensor; `x` is written; `seen` is what must be the same afterwards.
KINDS = {
    "leaf": "x = t.requires_grad_()",
    "leaf, not recorded": "x = t.requires_grad_(); mode = torch.no_grad()",
    "leaf, indices too large": "x = t.requires_grad_(); i = i + 7",
    "leaf, float indices": "x = t.requires_grad_(); i = i.double()",
    "leaf, argument of another shape": "x = t.requires_grad_(); y = y[..., :2]",
    "leaf, a number as argument": "x = t.requires_grad_(); y = 1.5",
    "leaf, None as argument": "x = t.requires_grad_(); y = None",
    "leaf without dimensions": "x = t.sum().detach().requires_grad_()",
    "view of a leaf": "x = t.requires_grad_().unsqueeze(0).squeeze(0)",
    "repeated memory": "x = t[:1].expand(*t.shape)",
    "result": "x = t.requires_grad_() * 1",
    "view of a result": "base = t.requires_grad_() * 1; x = base.unsqueeze(0).squeeze(0)",
    "base of a view": "x = t.requires_grad_() * 1; base = x.unsqueeze(0)",
    "one of several": "base = torch.stack((t, t)).requires_grad_() * 1; x = base.unbind()[0]",
    "view, not recorded": "base = t.requires_grad_() * 1\nwith torch.no_grad(): x = base.unsqueeze(0).squeeze(0)",
    "plain view": "base = torch.stack((t, t)); x = base[1]",
    "detached": "base = t.requires_grad_() * 1; x = base.detach()",
    "inference": "with torch.inference_mode(): x = t * 1",
    "view in inference": "with torch.inference_mode(): x = t.unsqueeze(0).squeeze(0)",
    "kept": "x = t.requires_grad_() * 1; after = (x * x).sum().backward",
    "base kept": "base = t.requires_grad_() * 1; after = (base * base).sum().backward; x = base.squeeze(0)",
    "bool": "x = t > 0.5", "int64": "x = (4 * t).long()", "float32": "x = t.float()",
    "transposed": "x = t.mT if t.dim() > 1 else t",
    "argument with a gradient": "x = t; y.requires_grad_()",
    "view, and such an argument": "base = torch.stack((t, t)); x = base[1]; y.requires_grad_()",
    "integers, and such an argument": "x = (4 * t).long(); y.requires_grad_()",
    "argument of integers": "x = t; y = (4 * y).long()",
    "argument of another shape": "x = t; y = y[..., :2]",
    "argument in the same memory": "s = torch.cat((t, t)); x = s[1 : 1 + len(t)]; y = s[: len(t)]",
    "argument of another shape in the same memory": "s = torch.cat((t, t)); x = s[1:3]; y = s[:3]",
    "itself": "x = t; y = t",
    "int32 indices": "x = t; i = i.int()", "float indices": "x = t; i = i.double()",
    "negative indices": "x = t; i = -i", "indices too large": "x = t; i = i + 7",
    "a number as argument": "x = t; y = 1.5", "None as argument": "x = t; y = None",
    "a number as indices": "x = t; i = 1", "a list as mask": "x = t; m = [True, False, True]",
    "one dimension": "x = t[0]", "no dimension": "x = t.sum()", "another dimension": "x = t[None]",
    "empty": "x = t[:0]",
    "mask of integers": "x = t; m = m.long()",
}  # fmt: skip
METHODS = [
    name
    for name in sorted(dir(minigrad.Tensor))
    if name.endswith("_") and not name.startswith("_") and name not in LEFT_OUT
]


def seen_by(library: Any, kind: str, method: str) -> list[Any]:
    """What the program with this library shows."""
    values = np.linspace(0.2537, 0.9123, 27).reshape(3, 9)[:, ::-1]
    shape = SHAPES.get(method, (3, 3))
    size = int(np.prod(shape))
    t, y = (library.tensor(v.ravel()[:size].reshape(shape).copy()) for v in (values, values[::-1]))
    scope = {"torch": library, "t": t, "y": y, "b": library.tensor(values.T.reshape(3, 3, 3)[:2].copy()),
             "i": library.tensor([2, 0, 1]), "m": library.tensor([True, False, True]), "after": None,
             "base": t, "x": t, "mode": library.enable_grad()}  # fmt: skip
    found: list[Any] = []
    try:
        exec(KINDS[kind], scope)
        with scope["mode"]:
            exec(statement(method), scope)
        if scope["after"]:
            scope["after"]()
    except Exception as error:
        raised = Raised(error)
        text = raised.text.partition("\nException raised from")[0]
        found.append((raised.kind, "" if "received an invalid" in text else unnumbered(text)))
    if "inference" in kind and found:
        return found  # PyTorch writes before it refuses
    return [*found, *(state(scope[name], method in RANDOM) for name in ("x", "base", "t"))]


def state(tensor: Any, random: bool) -> str:
    """What an attribute shows, or the error that it raises."""
    try:
        node = tensor.grad_fn
        nodes = node and [node.name(), *(n.name() for n, _ in node.next_functions if n)]
        version = "none" if tensor.is_inference() else tensor._version
        shown = [tensor.dtype, tuple(tensor.shape), version, tensor.requires_grad, nodes]
    except RuntimeError as error:
        shown = [str(error)]
    values = [] if random else np.round(tensor.detach().double().numpy(), 5).tolist()
    return f"{unnumbered(without_library(str(shown)))} {values}"


def unnumbered(text: str) -> str:
    """`AtanhBackward1` is what PyTorch calls the node of some of its in-place methods."""
    text = re.sub(r" \(position \d+\)", "", text)
    return re.sub(r"(Backward|output 0 of [A-Z]\w*?)[01]\b", r"\1", text)


def statement(write: str) -> str:
    return f"x.{write}({ARGUMENTS.get(write, '')})" if write.isidentifier() else write


def concerns(kind: str, method: str) -> bool:
    """Whether the method has the argument that this kind is about."""
    name = "y" if "argument" in kind or kind == "itself" else "i" if "indices" in kind else ""
    name = "m" if "mask" in kind else name
    return not name or name in re.findall(r"\w+", statement(method))


def both(kind: str, method: str) -> list[Any]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [seen_by(library, kind, method) for library in LIBRARIES]


@pytest.mark.parametrize("method", [*METHODS, *ASSIGNMENTS])
def test_writes(method: str) -> None:
    for kind in (kind for kind in KINDS if concerns(kind, method)):
        theirs, ours = both(kind, method)
        known = [" ".join(write.split()) for write in DIFFERENT_WRITES.get(kind, "").split(";")]
        if method in known:
            assert ours != theirs, f"{kind}: no difference is left: take it off the list"
        else:
            assert ours == theirs, kind
