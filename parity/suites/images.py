"""Document 004's image classifier on real images: scikit-learn's 1,797 handwritten digits.

The document shows the loop and names what belongs to it: two times convolution, ReLU and pooling,
three linear layers, cross entropy, SGD with momentum, a running loss. Its images are 32 x 32
in colour; these are 8 x 8 in grey, so the sizes are smaller. The recurrent networks after it
read the same images row by row.
"""

# The loop is the document's, in its own style.
# ruff: noqa: UP031

from __future__ import annotations

from typing import Any

from sklearn import datasets


def _digits(torch: Any) -> tuple[Any, Any]:
    """Images (1797, 8, 8) between -1 and 1, and what they show."""
    pixels, target = datasets.load_digits(return_X_y=True)
    images = torch.tensor(pixels / 8 - 1, dtype=torch.float32).view(-1, 8, 8)
    return images, torch.from_numpy(target)


def digits_cnn(torch: Any, epochs: int = 10, every: int = 15) -> None:
    """Conv-relu-pool twice, three linear layers; a line every so many mini-batches."""
    nn, F, data = torch.nn, torch.nn.functional, torch.utils.data

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
            self.pool = nn.MaxPool2d(2, 2)
            self.conv2 = nn.Conv2d(6, 16, 3, padding=1)
            self.fc1 = nn.Linear(16 * 2 * 2, 120)
            self.fc2 = nn.Linear(120, 84)
            self.fc3 = nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:
            x = self.pool(F.relu(self.conv1(x)))  # (N, 6, 4, 4)
            x = self.pool(F.relu(self.conv2(x)))  # (N, 16, 2, 2)
            x = torch.flatten(x, 1)
            x = F.relu(self.fc1(x))
            x = F.relu(self.fc2(x))
            return self.fc3(x)

    images, target = _digits(torch)
    images = images.unsqueeze(1)  # (N, C, H, W)
    torch.manual_seed(0)
    train = data.TensorDataset(images[:1440], target[:1440])
    trainloader = data.DataLoader(train, batch_size=32, shuffle=True)
    net = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

    for epoch in range(epochs):  # loop over the dataset multiple times
        running_loss = 0.0
        for i, batch in enumerate(trainloader, 0):
            # get the inputs; batch is a list of [inputs, labels]
            inputs, labels = batch

            # zero the parameter gradients
            optimizer.zero_grad()

            # forward + backward + optimize
            outputs = net(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()

            # print statistics
            running_loss += loss.item()
            if i % every == every - 1:
                print("[%d, %5d] loss: %.3f" % (epoch + 1, i + 1, running_loss / every))
                running_loss = 0.0

    print("Finished Training")
    with torch.no_grad():
        predicted = net(images[1440:]).argmax(dim=1)
    print("accuracy on the other 357: %.4f" % (predicted == target[1440:]).float().mean())


def digits_lstm(torch: Any, epochs: int = 4) -> None:
    """A long short-term memory reads the eight rows of an image from top to bottom."""
    nn = torch.nn

    class Reader(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(8, 32, batch_first=True)
            self.head = nn.Linear(32, 10)

        def forward(self, rows: Any) -> Any:
            output, _ = self.rnn(rows)  # (N, 8, 32): after each row
            return self.head(output[:, -1])

    _read_rows(torch, Reader(), epochs)


def digits_gru(torch: Any, epochs: int = 2) -> None:
    """The same with a gated recurrent unit whose state goes from row to row in the program."""
    nn = torch.nn

    class Reader(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(8, 32)
            self.head = nn.Linear(32, 10)

        def forward(self, rows: Any) -> Any:
            state = torch.zeros(len(rows), 32)
            for t in range(8):
                state = self.cell(rows[:, t], state)
            return self.head(state)

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
