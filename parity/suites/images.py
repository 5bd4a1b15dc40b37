"""Recurrent networks read real images: scikit-learn's 1,797 handwritten digits, row by row.

Document 004's image classifier, a convolutional network, is `examples/digits_cnn.py`.
"""

from __future__ import annotations

from typing import Any

from sklearn import datasets


def _digits(torch: Any) -> tuple[Any, Any]:
    """Images (1797, 8, 8) between -1 and 1, and what they show."""
    pixels, target = datasets.load_digits(return_X_y=True)
    images = torch.tensor(pixels / 8 - 1, dtype=torch.float32).view(-1, 8, 8)
    return images, torch.from_numpy(target)


def digits_lstm(torch: Any, epochs: int = 4) -> None:
    """A long short-term memory reads the eight rows of an image from top to bottom.

    Without biases: with them four leaves hang on one node, and PyTorch's engine hands them their
    gradients in the order of its heap.
    """
    nn = torch.nn

    class Reader(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(8, 32, bias=False, batch_first=True)
            self.head = nn.Linear(32, 10)

        def forward(self, rows: Any) -> Any:
            output, _ = self.rnn(rows)  # (N, 8, 32): after each row
            return self.head(output[:, -1])

    _read_rows(torch, Reader(), epochs)


def digits_gru(torch: Any, epochs: int = 2) -> None:
    """The same with a gated recurrent unit (Cho et al. 2014) that is written out."""
    nn = torch.nn

    class Reader(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.of_row, self.of_state = nn.Linear(8, 96), nn.Linear(32, 96)
            self.head = nn.Linear(32, 10)

        def forward(self, rows: Any) -> Any:
            h = torch.zeros(len(rows), 32)
            for t in range(8):
                x_reset, x_update, x_new = self.of_row(rows[:, t]).chunk(3, dim=1)
                h_reset, h_update, h_new = self.of_state(h).chunk(3, dim=1)
                reset = torch.sigmoid(x_reset + h_reset)
                update = torch.sigmoid(x_update + h_update)
                new = torch.tanh(x_new + reset * h_new)
                h = (1 - update) * new + update * h
            return self.head(h)

    _read_rows(torch, Reader(), epochs)


def _read_rows(torch: Any, net: Any, epochs: int) -> None:
    nn, data = torch.nn, torch.utils.data
    images, target = _digits(torch)
    train = data.TensorDataset(images[:1440], target[:1440])
    loader = data.DataLoader(train, batch_size=60, shuffle=True)
    print(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(epochs):
        running_loss = 0.0
        for rows, labels in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(rows), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            running_loss += loss.item()
        print(f"epoch {epoch} loss {running_loss / len(loader):.4f}")
    with torch.no_grad():
        predicted = net(images[1440:]).argmax(dim=1)
    print(f"accuracy {(predicted == target[1440:]).float().mean():.4f}")
