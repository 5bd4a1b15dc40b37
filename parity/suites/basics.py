"""Document 003_b0c217fb4a6dc318.txt: what PyTorch is, in sentences; each becomes a program.

The document says that gradients add up until they are zeroed (and that recurrent networks need
it), that a tensor and its NumPy array share memory, that `no_grad` stops the recording, and what
`model.train()` and `model.eval()` switch (`examples/train_eval.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np


def accumulation(torch: Any) -> None:
    """One weight used at several steps in time, as in an RNN: its gradients are summed."""
    w = torch.tensor([0.5], requires_grad=True)
    h = torch.tensor([1.0])
    for t in range(4):
        h = torch.tanh(w * h + t)
    h.sum().backward()
    print(w.grad)

    y = (w**3).sum()
    y.backward()
    print(w.grad)  # on top of the old one
    w.grad.zero_()
    (w**3).sum().backward()
    print(w.grad)
    w.grad = None
    print(w.grad)


def numpy_memory(torch: Any) -> None:
    """Change one, and the other has changed."""
    array = np.arange(6, dtype="float32").reshape(2, 3)
    tensor = torch.from_numpy(array)
    array[0, 0] = 10
    print(tensor)
    tensor[1, 2] = -1
    tensor *= 2
    print(array)

    ones = torch.ones(3)
    back = ones.numpy()
    ones.add_(1)
    print(back)
    row = tensor[0]
    row.zero_()
    print(array)
    copied = torch.tensor(array)
    array[1, 0] = 99
    print(copied)
    print(torch.from_numpy(np.array([1, 2, 3])).dtype, torch.from_numpy(np.array([0.5])))


def no_grad_modes(torch: Any) -> None:
    """What records, and what does not: as a block, as a decorator, nested, and `detach`."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    print(x * 2)
    with torch.no_grad():
        print(x * 2)
        with torch.enable_grad():
            print((x * 2).requires_grad)
        print(torch.is_grad_enabled())

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def predict(value: Any) -> Any:
        return (value * 3).sum()

    print(predict(x))
    with torch.set_grad_enabled(False):
        print((x + 1).requires_grad)
    print(x.detach() * 2, (x.detach() * 2).grad_fn)
    loss = (x * x.detach()).sum()
    loss.backward()
    print(x.grad)
    with torch.no_grad():
        x -= 0.1 * x.grad
    print(x)
    with torch.inference_mode():
        print((x * x).requires_grad)
