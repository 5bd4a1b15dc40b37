"""The graph behind a loss: from `loss.grad_fn` along `next_functions` down to the parameters.

`backward` walks the same way. It only fills `.grad`; the optimizer changes the parameters.
"""

import minigrad as torch

nn = torch.nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
inputs, labels = torch.rand(4, 2), torch.rand(4, 1)

loss = criterion(net(inputs), labels)


def walk(fn, depth):
    """Each operation has left a node that knows how to differentiate it."""
    # The ends of the graph, AccumulateGrad, hold the tensor whose .grad they add to.
    shape = tuple(fn.variable.shape) if hasattr(fn, "variable") else ""
    print("  " * depth + fn.name(), shape)
    for next_fn, _ in fn.next_functions:
        if next_fn is not None:  # None: an input that needs no gradient
            walk(next_fn, depth + 1)


walk(loss.grad_fn, 0)
print("loss:", loss.requires_grad, loss.is_leaf)
print("a weight:", net[0].weight.requires_grad, net[0].weight.is_leaf, net[0].weight.grad_fn)
print("the inputs:", inputs.requires_grad, inputs.is_leaf, inputs.grad_fn)

before = [p.detach().clone() for p in net.parameters()]


def changed():
    return [not torch.equal(p, old) for p, old in zip(net.parameters(), before, strict=True)]


loss.backward()
print("gradients after backward:", [p.grad is not None for p in net.parameters()])
print("changed by backward:", changed())
optimizer.step()
print("changed by step:", changed())
print(f"loss before {loss:.4f}, after {criterion(net(inputs), labels):.4f}")
