"""What `zero_grad` is for: `backward` adds to `.grad`, it does not replace what is there."""

import minigrad as torch

nn = torch.nn

w = torch.tensor(2.0, requires_grad=True)
for i in range(3):
    (w**2).backward()  # the gradient is 2 w = 4, each time
    print(f"backward number {i + 1}: w.grad = {w.grad}")
w.grad.zero_()
(w**2).backward()
print(f"after w.grad.zero_(): w.grad = {w.grad}")

# Adding up is wanted where one weight is used several times. An RNN has one weight for all steps
# in time; its gradient is the sum over the steps.
w = torch.tensor(0.5, requires_grad=True)
h = torch.tensor(1.0)
for t in range(4):
    h = torch.tanh(w * h + t)
h.backward()
print(f"one weight, four steps in time: w.grad = {w.grad}")

# In a training loop it is not wanted: the gradient of the last batch is still there.
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
inputs, labels = torch.rand(4, 2), torch.rand(4, 1)

criterion(net(inputs), labels).backward()
once = [p.grad.clone() for p in net.parameters()]
criterion(net(inputs), labels).backward()
twice = [p.grad for p in net.parameters()]
print(
    "twice as large?", [torch.allclose(g, 2 * first) for g, first in zip(twice, once, strict=True)]
)

# What the optimizer does: it goes through the parameters that it was given.
for group in optimizer.param_groups:
    for p in group["params"]:
        p.grad.zero_()
print("by hand:", [p.grad.abs().sum().item() for p in net.parameters()])

criterion(net(inputs), labels).backward()
optimizer.zero_grad()  # sets .grad to None, which costs no memory
print("zero_grad():", [p.grad for p in net.parameters()])
before = [p.detach().clone() for p in net.parameters()]
optimizer.step()  # no gradient, no step
print("unchanged?", [torch.equal(p, old) for p, old in zip(net.parameters(), before, strict=True)])
