"""Document 000_dd47e3d5cbf0af61.txt: linear regression with bare tensors and with an `nn.Module`.

The document trains y = x on three points; the loops are in `examples/linear_regression_tensors.py`
and `examples/linear_regression_module.py`. Here is what it shows before: seeds, and a first step.
"""

from __future__ import annotations

from typing import Any


def seeding(torch: Any) -> None:
    """The same seed gives the same numbers, on every device that there is."""
    torch.manual_seed(1)
    random_tensor = torch.rand(2, 2)
    print(random_tensor)

    torch.manual_seed(1)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(1)
    again = torch.rand(2, 2)
    print(torch.equal(random_tensor, again))
    print(torch.rand(2, 2))


def first_step(torch: Any) -> None:
    """The document's fragments: initial weights, hypothesis, cost, one step of SGD."""
    optim = torch.optim

    x_train = torch.FloatTensor([[1], [2], [3]])
    y_train = torch.FloatTensor([[1], [2], [3]])

    W = torch.zeros(1, requires_grad=True)
    print(W)
    b = torch.zeros(1, requires_grad=True)
    print(b)

    hypothesis = x_train * W + b
    print(hypothesis)

    cost = torch.mean((hypothesis - y_train) ** 2)
    print(cost)

    optimizer = optim.SGD([W, b], lr=0.01)
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()
    print(W)
    print(b)
