"""Document 001_5e3b445e1bb2650c.txt: training over a shuffled `DataLoader`.

Here the parameters are updated by hand under `no_grad`; `examples/linear_module_dataloader.py` has
the document's second half, with `nn.Linear`, `nn.MSELoss` and SGD. The learning rate, 200 epochs and
a print-out every 10 are the document's.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _data(torch: Any) -> Any:
    """The document's ten points, standardised, one to a batch, in random order."""
    TensorDataset, DataLoader = torch.utils.data.TensorDataset, torch.utils.data.DataLoader
    X_train = np.arange(10, dtype="float32").reshape((10, 1))
    y_train = np.array([1.0, 1.3, 3.1, 2.0, 5.0, 6.3, 6.6, 7.4, 8.0, 9.0], dtype="float32")

    X_train_norm = (X_train - np.mean(X_train)) / np.std(X_train)
    X_train_norm = torch.from_numpy(X_train_norm)
    y_train = torch.from_numpy(y_train)

    train_ds = TensorDataset(X_train_norm, y_train)
    return DataLoader(train_ds, batch_size=1, shuffle=True)


def manual_update(torch: Any, num_epochs: int = 200) -> None:
    """Gradients accumulate over an epoch, then `weight -= weight.grad * learning_rate`."""
    train_dl = _data(torch)
    torch.manual_seed(1)

    weight = torch.randn(1)
    weight.requires_grad_()

    bias = torch.zeros(1, requires_grad=True)

    def model(xb: Any) -> Any:
        return xb @ weight + bias

    def loss_fn(input: Any, target: Any) -> Any:
        return (input - target).pow(2).mean()

    learning_rate = 0.001
    log_epochs = 10
    for epoch in range(num_epochs):
        for x_batch, y_batch in train_dl:
            pred = model(x_batch)
            loss = loss_fn(pred, y_batch)
            loss.backward()
        with torch.no_grad():
            weight -= weight.grad * learning_rate
            bias -= bias.grad * learning_rate
            weight.grad.zero_()
            bias.grad.zero_()
        if epoch % log_epochs == 0:
            print(f"Epoch {epoch} Loss {loss.item():.4f}")
