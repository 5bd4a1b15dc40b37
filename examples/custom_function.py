"""An operation of your own: `forward` computes, `backward` is the derivative you write down."""

import minigrad as torch


class Cube(torch.autograd.Function):
    """y = x^3, dy/dx = 3 x^2"""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)  # what the derivative will need
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x * x  # the chain rule: d loss / d y times d y / d x


class Quantize(torch.autograd.Function):
    """Rounds to steps, and lets the gradient pass as if it had not: a "straight-through" estimate."""

    @staticmethod
    def forward(ctx, x, step):
        return torch.round(x / step) * step

    @staticmethod
    def backward(ctx, grad):
        return grad, None  # one for each input of forward; `step` is not differentiated


x = torch.tensor([1.0, 2.0, -3.0], requires_grad=True)
y = Cube.apply(x)
print(y, y.grad_fn.name())
y.sum().backward()
print(x.grad)

# Is the derivative right? In double precision, (f(x + h) - f(x - h)) / 2h is close to it.
# (`torch.autograd.gradcheck` does this for functions of any number of inputs.)
h = 1e-6
points = torch.tensor([-1.5, 0.3, 2.0], dtype=torch.float64, requires_grad=True)
(slope,) = torch.autograd.grad(Cube.apply(points).sum(), points)
with torch.no_grad():
    numeric = (Cube.apply(points + h) - Cube.apply(points - h)) / (2 * h)
print("close to the numeric one?", torch.allclose(slope, numeric))

x = torch.tensor([0.2, 0.7, 1.4], requires_grad=True)
y = Quantize.apply(x, 0.5)
(y**2).sum().backward()
print(y, x.grad)  # 2 y, where the true derivative of rounding is 0

# `backward` above is made of operations that are recorded, so it can be differentiated again.
x = torch.tensor(2.0, requires_grad=True)
(first,) = torch.autograd.grad(Cube.apply(x), x, create_graph=True)
(second,) = torch.autograd.grad(first, x)
print(first, second)  # 3 x^2 and 6 x
