"""`model.train()` and `model.eval()`: two layers behave differently, Dropout and BatchNorm.

Neither of the calls stops the recording of the graph; that is what `torch.no_grad()` does.
"""

import minigrad as torch

nn = torch.nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 1))
)
print(model)
x = torch.randn(8, 3) * 2 + 1

# Both calls set a flag on every module, also inside the inner Sequential.
for mode in (model.eval, model.train):
    mode()
    print([module.training for module in model.modules()])
    print("recorded?", model(x).requires_grad)

# Dropout in training: each number becomes 0 with probability p, and the others are divided by
# 1 - p so that the mean stays. In evaluation it hands its input on.
dropout, ones = nn.Dropout(0.5), torch.ones(2, 8)
print(dropout(ones))
print(dropout.eval()(ones))

# BatchNorm in training: mean 0 and variance 1 over the batch, whose statistics it remembers.
norm = nn.BatchNorm1d(3)
y = norm(x)
print("mean of the batch:", x.mean(dim=0), "after it:", y.mean(dim=0).abs().max().item() < 1e-6)
print("remembered after one batch:", norm.running_mean)  # a tenth of the way from 0
for _ in range(50):
    norm(x)
print("after fifty more:", norm.running_mean)
# In evaluation it uses what it remembers, so a single row has a result of its own.
norm.eval()
print("one row:", norm(x[:1]))

# So the same input gives different outputs in training, and the same in evaluation.
with torch.no_grad():
    model.train()
    print("training:", torch.equal(model(x), model(x)))
    model.eval()
    print("evaluation:", torch.equal(model(x), model(x)), model(x).requires_grad)
