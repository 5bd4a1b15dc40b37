"""Document 004_1365e9608657a294.txt: the training process, call by call.

What `zero_grad`, `backward` and `step` do to a parameter, the walk along `grad_fn` and gradient
accumulation are in `examples/`; here is the loop with a running loss. The document trains a
classifier of images that it does not show (`examples/digits_cnn.py` has another); here a small
network learns a line, the loop is the document's.
"""

# The code is the document's, in its own style.
# ruff: noqa: UP031

from __future__ import annotations

from typing import Any


def _regression(torch: Any, size: int, batch_size: int) -> tuple[Any, Any, Any, Any]:
    """A network, its criterion, its optimizer and a shuffled loader over `size` points."""
    nn, data = torch.nn, torch.utils.data
    torch.manual_seed(0)
    x = torch.rand(size, 2) * 2 - 1
    y = x[:, 0:1] * 2 - x[:, 1:2] + 0.5
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=batch_size, shuffle=True)
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    return net, nn.MSELoss(), optimizer, loader


def running_loss(torch: Any, every: int = 2000) -> None:
    """The document's loop: a line every 2,000 mini-batches, two epochs of as many."""
    net, criterion, optimizer, trainloader = _regression(torch, 2 * every, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)

    for epoch in range(2):  # loop over the dataset multiple times
        running_loss = 0.0

        for i, data in enumerate(trainloader, 0):
            # get the inputs; data is a list of [inputs, labels]
            inputs, labels = data

            # zero the parameter gradients
            optimizer.zero_grad()

            # forward + backward + optimize
            outputs = net(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()

            # print statistics
            running_loss += loss.item()
            if i % every == every - 1:  # print every 2000 mini-batches
                print("[%d, %5d] loss: %.3f" % (epoch + 1, i + 1, running_loss / every))
                running_loss = 0.0

    print("Finished Training")
