"""The unit of rounding in a convolution: the same convolution of magnitudes.

A convolution is a sum of products, as a matrix product is (`products.py`); the library that runs
the program is asked for |input| * |weight|, and for its gradients with |grad|.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .products import magnitudes, unit

if TYPE_CHECKING:
    from .record import Arrays, Side

CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d"})
NODES = frozenset({"ConvolutionBackward0"})


def result_units(side: Side, name: str, args: Any, kwargs: Any) -> Arrays:
    """The units of a convolution's result."""
    sizes = [abs(value.detach()) if hasattr(value, "grad_fn") else value for value in args]
    named = {
        key: abs(value.detach()) if hasattr(value, "grad_fn") else value
        for key, value in kwargs.items()
    }
    terms = side.values(getattr(side.torch, name)(*sizes, **named))
    weight = args[1] if len(args) > 1 else kwargs["weight"]
    return (unit(terms, weight[0].numel() + 1),)


def gradient_units(side: Side, node: Any, grad: Any) -> Arrays:
    """The units of the gradients of input, weight and bias."""
    torch, options = side.torch, _options(node)
    if options is None:
        return ()
    # Each is a gradient of the sum of |grad| * (|input| convolved with |weight|).
    with torch.enable_grad():
        pair = [
            torch.from_numpy(magnitudes(side, node, name)).requires_grad_()
            for name in ("_saved_input", "_saved_weight")
        ]
        result = getattr(torch, f"conv{grad.ndim - 2}d")(*pair, None, *options)
        sums = torch.autograd.grad(result, pair, torch.from_numpy(grad))
    products = grad.size * pair[1][0].numel()
    units = [unit(side.values(terms), products // terms.numel()) for terms in sums]
    dims = (0, *range(2, grad.ndim))
    return *units, unit(grad.sum(axis=dims), grad.size // grad.shape[1])


def _options(node: Any) -> Any:
    """Stride, padding, dilation and groups, under either library's names."""
    geometry = getattr(node, "_saved_geometry", node)
    prefix = "_saved_" if geometry is node else ""
    names = ("stride", "padding", "dilation", "groups")
    if getattr(node, "_saved_transposed", False) or not hasattr(geometry, prefix + "stride"):
        return None
    return [getattr(geometry, prefix + name) for name in names]
