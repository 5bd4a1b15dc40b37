"""What the engine costs: single ops on four numbers, and long and wide graphs."""

from __future__ import annotations

from collections.abc import Callable

from workload import Run, Tensor, Torch, Workload, flat

OPS: dict[str, Callable[[Torch, Tensor, Tensor], Tensor]] = {
    "add": lambda torch, x, y: x + y,
    "mul": lambda torch, x, y: x * y,
    "matmul": lambda torch, x, y: x @ y,
    "relu": lambda torch, x, y: x.relu(),
    "sum": lambda torch, x, y: x.sum(),
    "view": lambda torch, x, y: x.view(4),
    "index": lambda torch, x, y: x[1],
    "cat": lambda torch, x, y: torch.cat([x, y]),
    "exp": lambda torch, x, y: x.exp(),
}


def _operands(torch: Torch) -> tuple[Tensor, Tensor]:
    x = torch.tensor([[0.5, -1.0], [1.5, 2.0]], requires_grad=True)
    y = torch.tensor([[2.0, 0.25], [-3.0, 1.0]], requires_grad=True)
    return x, y


def forward_of(name: str) -> Callable[[Torch], Run]:
    """The op with its graph, which is dropped at once."""

    def setup(torch: Torch) -> Run:
        op, (x, y) = OPS[name], _operands(torch)
        return Run(lambda: op(torch, x, y), lambda: flat(op(torch, x, y)))

    return setup


def backward_of(name: str) -> Callable[[Torch], Run]:
    """`backward(gradient)` of the op, into leaves that have no gradient yet."""

    def setup(torch: Torch) -> Run:
        op = OPS[name]
        gradient = torch.ones_like(op(torch, *_operands(torch)).detach())
        last: Tensor = None

        def prepare() -> Tensor:
            nonlocal last
            x, y = _operands(torch)
            last = x
            return op(torch, x, y)

        return Run(lambda out: out.backward(gradient), lambda: flat(last.grad), prepare)

    return setup


# --- long and wide graphs ------------------------------------------------------------------------


def chain(nodes: int) -> Callable[[Torch], Run]:
    """1 is added to a scalar `nodes` times; forward, backward, and the graph freed."""

    def setup(torch: Torch) -> Run:
        x = torch.tensor(0.5, requires_grad=True)

        def step() -> None:
            out = x
            for _ in range(nodes):
                out = out + 1.0
            x.grad = None
            out.backward()

        return Run(step, lambda: flat(x.grad))

    return setup


def branches(count: int) -> Callable[[Torch], Run]:
    """The sum of `count` products of one scalar: its gradient comes over `count` paths."""

    def setup(torch: Torch) -> Run:
        x = torch.tensor(0.5, requires_grad=True)

        def step() -> None:
            out = x * 1.0
            for _ in range(count - 1):
                out = out + x * 1.0
            x.grad = None
            out.backward()

        return Run(step, lambda: flat(x.grad))

    return setup


OVERHEAD = [Workload(f"{name}-forward", forward_of(name), 0.8) for name in OPS]
OVERHEAD += [Workload(f"{name}-backward", backward_of(name), 0.3) for name in OPS]
CHAINS = [
    Workload("chain-10000", chain(10_000), 0.4, units=10_000, checks=1),
    Workload("branches-10000", branches(10_000), 0.4, units=10_000, checks=1),
]
GRAPHS = [
    Workload(f"graph-1e{power}", chain(10**power), None, units=10**power, checks=1)
    for power in range(2, 7)
]
GRAPH_BAR = 1.5  # of GRAPHS, the largest time per node over the smallest
