"""What the documents' readers meet next: recomputed activations, all derivatives at once.

Not from a document: these suites hold the rest of autograd's interface in the same way.
"""

from __future__ import annotations

from typing import Any


def checkpointing(torch: Any) -> None:
    """Activations are computed again in the backward pass instead of being kept."""
    torch.manual_seed(1)
    first, second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)
    x = torch.randn(8, 4)
    kept = second(torch.tanh(first(x))).pow(2).mean()
    kept.backward()
    expected = first.weight.grad.clone()
    first.zero_grad()
    second.zero_grad()
    again = torch.utils.checkpoint.checkpoint(
        lambda v: second(torch.tanh(first(v))), x, use_reentrant=False
    )
    again.pow(2).mean().backward()
    print(torch.equal(first.weight.grad, expected))


def jacobian_and_hessian(torch: Any) -> None:
    """All first and second derivatives of a small network."""
    torch.manual_seed(1)
    W, V = torch.randn(3, 4), torch.randn(4, 2)

    def network(x: Any) -> Any:
        return torch.sigmoid(x @ W) @ V

    def energy(x: Any) -> Any:
        return (torch.tanh(x @ W) ** 2).sum()

    x = torch.tensor([0.5, -1.0, 2.0])
    print(torch.autograd.functional.jacobian(network, x))
    print(torch.autograd.functional.hessian(energy, x))
    direction = torch.tensor([1.0, 0.0, -1.0])
    print(torch.autograd.functional.vjp(network, x, torch.tensor([1.0, -1.0])))
    print(torch.autograd.functional.hvp(energy, x, direction))
