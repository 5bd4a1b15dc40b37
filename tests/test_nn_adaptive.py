"""`AdaptiveLogSoftmaxWithLoss` beside PyTorch's."""

import pytest
from both import on_both


def built(torch, **options):
    torch.manual_seed(3)
    return torch.nn.AdaptiveLogSoftmaxWithLoss(16, 12, [3, 7], div_value=2.0, **options)


@pytest.mark.parametrize("bias", [False, True])
@on_both
def test_initial_values_and_text(torch, log, bias):
    module = built(torch, head_bias=bias)
    log(repr(module).replace("minigrad", "torch"))
    for name, value in module.state_dict().items():
        log(name, value)
    module.reset_parameters()
    log(module.tail[1][1].weight)
    log(module.cutoffs, module.shortlist_size, module.n_clusters, module.head_size)


@pytest.mark.parametrize("targets", [[0, 1, 2], [0, 5, 11, 3, 6, 7, 2], [8, 9]])
@on_both
def test_values_and_gradients(torch, log, targets):
    module = built(torch)
    x = torch.linspace(-1, 1, len(targets) * 16).reshape(-1, 16).requires_grad_()
    result = module(x, torch.tensor(targets))
    log(type(result).__name__, result._fields)
    log(result.output.detach(), result.loss.detach())
    result.loss.backward()
    log(x.grad, *[p.grad for p in module.parameters()])
    log(module.log_prob(x).detach(), module.predict(x))


@on_both
def test_one_row(torch, log):
    module = built(torch)
    x = torch.linspace(-1, 1, 16)
    for target in (1, 4, 11):
        output, loss = module(x, torch.tensor(target))
        log(output.detach(), loss.detach())


@on_both
def test_mistakes(torch, log):
    module = built(torch)
    make = torch.nn.AdaptiveLogSoftmaxWithLoss
    for cutoffs in ([], [0, 2], [3, 3], [5, 2], [2, 12], [1.5], [-1]):
        log.error(lambda cutoffs=cutoffs: str(make(4, 12, cutoffs).cutoffs))
    x = torch.ones(2, 16)
    log.error(module, x, torch.tensor([1]))
    log.error(module, x, torch.tensor([[1], [2]]))
    log.error(module, x, torch.tensor([1, 12]))
    log.error(module, x, torch.tensor([-1, 2]))
    log.error(module, x, torch.tensor(1))
