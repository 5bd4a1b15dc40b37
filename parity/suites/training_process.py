"""Document 004_1365e9608657a294.txt: the training process, call by call.

What `zero_grad`, `backward` and `step` do to a parameter; the walk from `loss.grad_fn` to the
leaves; gradient accumulation; the loop with a running loss. The document trains a classifier of
images that it does not show; here a small network learns a line, the loops are the document's.
"""

# The code is the document's, in its own style.
# ruff: noqa: B905, UP031

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


def zero_grad(torch: Any) -> None:
    """Without `zero_grad` the gradients of two batches add up; the optimizer reaches them all."""
    net, criterion, optimizer, loader = _regression(torch, 8, 4)
    inputs, labels = next(iter(loader))

    criterion(net(inputs), labels).backward()
    once = [p.grad.clone() for p in net.parameters()]
    criterion(net(inputs), labels).backward()
    for p, first in zip(net.parameters(), once):
        print(torch.allclose(p.grad, 2 * first))

    # What the document shows of the optimizer: the groups, and `p.grad.zero_()` for each.
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                p.grad.detach_()
                p.grad.zero_()
    print([p.grad.abs().sum().item() for p in net.parameters()])

    criterion(net(inputs), labels).backward()
    optimizer.zero_grad(set_to_none=False)
    print([p.grad.abs().sum().item() for p in net.parameters()])
    optimizer.zero_grad()
    print([p.grad for p in net.parameters()])
    optimizer.step()  # nothing to do: no gradient


def grad_fn_walk(torch: Any) -> None:
    """`loss.grad_fn`, then `next_functions` again and again, down to the leaves."""
    net, criterion, optimizer, loader = _regression(torch, 8, 4)
    inputs, labels = next(iter(loader))
    loss = criterion(net(inputs), labels)

    def walk(fn: Any, depth: int) -> None:
        shape = tuple(fn.variable.shape) if hasattr(fn, "variable") else ""
        print("  " * depth + fn.name(), shape)
        for next_fn, _ in fn.next_functions:
            if next_fn is not None:
                walk(next_fn, depth + 1)

    walk(loss.grad_fn, 0)
    print(loss.requires_grad, loss.is_leaf, inputs.grad_fn, net[0].weight.is_leaf)

    before = [p.detach().clone() for p in net.parameters()]
    loss.backward()  # hands gradients to the parameters, and changes no parameter
    print([torch.equal(p, old) for p, old in zip(net.parameters(), before)])
    optimizer.step()
    print([torch.equal(p, old) for p, old in zip(net.parameters(), before)])


def gradient_accumulation(torch: Any) -> None:
    """As the document has it: `i % NUM_ACCUM == 0` steps after the very first batch already.

    So each step sees the second batch of one pair and the first of the next, the first step sees
    one batch, and the last batch of an epoch is carried over to the next epoch.
    """
    net, criterion, optimizer, train_loader = _regression(torch, 12, 2)

    NUM_ACCUM = 2

    optimizer.zero_grad()

    for epoch in range(2):
        running_loss = 0.0

        for i, data in enumerate(train_loader, 0):
            inputs, labels = data

            outputs = net(inputs)

            loss = criterion(outputs, labels) / NUM_ACCUM
            loss.backward()
            running_loss += loss.item()

            if i % NUM_ACCUM == 0:
                optimizer.step()
                optimizer.zero_grad()

        print("epoch %d loss %.4f" % (epoch + 1, running_loss))


def gradient_accumulation_mended(torch: Any) -> None:
    """The document's loop with its off-by-one mended: `(i + 1) % NUM_ACCUM == 0`."""
    net, criterion, optimizer, train_loader = _regression(torch, 12, 2)

    NUM_ACCUM = 2

    optimizer.zero_grad()

    for epoch in range(2):
        running_loss = 0.0

        for i, data in enumerate(train_loader, 0):
            inputs, labels = data

            outputs = net(inputs)

            loss = criterion(outputs, labels) / NUM_ACCUM
            loss.backward()
            running_loss += loss.item()

            if (i + 1) % NUM_ACCUM == 0:
                optimizer.step()
                optimizer.zero_grad()

        print("epoch %d loss %.4f" % (epoch + 1, running_loss))


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
