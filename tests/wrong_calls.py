"""Wrong calls, one per line, by what is wrong with them: PyTorch raises for each.

`test_error_texts.py` holds minigrad to the same exception and the same sentence.
"""

CALLS = {
    "broadcasting": """
torch.ones(3) + torch.ones(4)
torch.ones(2, 3) * torch.ones(3, 2)
torch.ones(2, 3) - torch.ones(2)
torch.ones(2, 3) / torch.ones(4, 1)
torch.ones(3) ** torch.ones(4)
torch.ones(3) < torch.ones(4)
torch.ones(3) == torch.ones(4)
torch.maximum(torch.ones(3), torch.ones(4))
torch.where(torch.ones(3) > 0, torch.ones(4), torch.ones(3))
torch.where(torch.ones(2) > 0, torch.ones(3), 0.0)
torch.ones(3).add_(torch.ones(2, 3))
torch.ones(3).mul_(torch.ones(4))
torch.ones(3).copy_(torch.ones(4))
torch.ones(2, 3).expand(3, 3)
torch.ones(2, 3).expand(3)
torch.ones(2).expand(-1, 2)
torch.broadcast_to(torch.ones(3), (2, 4))
torch.broadcast_tensors(torch.ones(3), torch.ones(4))
torch.broadcast_shapes((2, 3), (4, 3))
torch.lerp(torch.ones(3), torch.ones(4), 0.5)
torch.addcmul(torch.ones(3), torch.ones(4), torch.ones(3))
torch.ones(3).masked_fill(torch.ones(4) > 0, 1.0)
torch.ones(2, 3).fill_(torch.ones(2))
""",
    "products": """
torch.ones(2, 3) @ torch.ones(2, 3)
torch.ones(3) @ torch.ones(4)
torch.ones(2, 3) @ torch.ones(4)
torch.ones(4) @ torch.ones(2, 3)
torch.ones(2, 2, 3) @ torch.ones(3, 3, 4)
torch.ones(2, 2, 3) @ torch.ones(2, 2, 4)
torch.tensor(1.0) @ torch.ones(2)
torch.mm(torch.ones(2, 3), torch.ones(2, 3))
torch.triangular_solve(torch.ones(2, 2), torch.ones(2))
torch.triangular_solve(torch.ones(2), torch.ones(2, 2))
torch.triangular_solve(torch.ones(2), torch.ones(2))
torch.trapezoid(torch.tensor(1.0), torch.tensor(1.0))
torch.trapezoid(torch.tensor(1.0))
torch.repeat_interleave(torch.ones(2), torch.ones(1, 1).long())
torch.ones(2, 3, 4)[torch.tensor([0]), :, 9]
torch.ones(2, 3, 4)[torch.ones(2, 3) > 0, 9]
torch.ones(2, 3, 4)[..., torch.ones(3) > 0, 9]
torch.ones(2, 3, 4)[..., 9]
torch.ones(2, 3, 4)[True, 9]
torch.ones(2, 3, 4)[:, None, ..., None, 9]
torch.ones(2, 3, 4)[None, 0, torch.tensor([0]), 9]
torch.repeat_interleave(torch.ones(2), torch.ones(1, 2).long())
torch.repeat_interleave(torch.tensor(3.0), torch.tensor([2, 2]))
torch.mm(torch.ones(2), torch.ones(2, 3))
torch.mm(torch.ones(2, 3), torch.ones(3))
torch.bmm(torch.ones(2, 3), torch.ones(2, 3))
torch.bmm(torch.ones(2, 2, 3), torch.ones(2, 2, 3))
torch.bmm(torch.ones(2, 2, 3), torch.ones(3, 3, 3))
torch.mv(torch.ones(2, 3), torch.ones(2))
torch.mv(torch.ones(2, 3), torch.ones(2, 3))
torch.dot(torch.ones(3), torch.ones(4))
torch.dot(torch.ones(2, 2), torch.ones(2))
torch.outer(torch.ones(2, 2), torch.ones(2))
torch.addmm(torch.ones(3), torch.ones(2, 3), torch.ones(2, 3))
torch.addmm(torch.ones(5), torch.ones(2, 3), torch.ones(3, 4))
torch.nn.functional.linear(torch.ones(2, 3), torch.ones(4, 2))
torch.nn.functional.linear(torch.ones(2, 3), torch.ones(4, 3), torch.ones(5))
torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(4, 5))
torch.einsum("ij->ik", torch.ones(2, 3))
torch.einsum("ijk->i", torch.ones(2, 3))
torch.tensordot(torch.ones(2, 3), torch.ones(2, 3), 1)
torch.linalg.inv(torch.ones(2, 3))
torch.linalg.inv(torch.zeros(2, 2))
torch.linalg.cholesky(-torch.eye(2))
torch.linalg.solve(torch.zeros(2, 2), torch.ones(2))
torch.linalg.det(torch.ones(2))
torch.cross(torch.ones(2), torch.ones(2), dim=0)
torch.cross([1.0, 2.0, 3.0], torch.ones(3))
torch.cross(torch.ones(3), [1.0, 2.0, 3.0])
torch.trace(torch.ones(2))
torch.cdist(torch.ones(2, 3), torch.ones(2, 4))
""",
    "dtypes": """
torch.ones(2, 2) @ torch.ones(2, 2).long()
torch.mm(torch.ones(2, 2).double(), torch.ones(2, 2))
torch.ones(2) @ torch.ones(2).double()
torch.ones(2, 2).double() @ torch.ones(2)
torch.bmm(torch.ones(1, 2, 2).double(), torch.ones(1, 2, 2))
torch.nn.functional.linear(torch.ones(2, 2).double(), torch.ones(2, 2))
torch.nn.functional.linear(torch.ones(2, 2), torch.ones(2, 2).double())
torch.tensor([1, 2, 3]).mean()
torch.tensor([1, 2, 3]).mean(0)
torch.tensor([1, 2, 3]).std()
torch.tensor([1, 2, 3]).var()
torch.tensor([True]).mean()
torch.tensor([1, 2]).softmax(0)
torch.tensor([1, 2]).add_(0.5)
torch.tensor([1, 2]).div_(2)
torch.tensor([1, 2]).mul_(torch.ones(2))
torch.tensor([1, 2]).sqrt_()
torch.tensor([1, 2], requires_grad=True)
torch.tensor([1, 2]).requires_grad_()
torch.tensor([True]) - torch.tensor([True])
-torch.tensor([True])
torch.ones(2) & torch.ones(2)
~torch.ones(2)
torch.ones(2) << 1
torch.ones(2)[torch.ones(2)]
torch.ones(2, 2)[torch.tensor([0.5])]
torch.gather(torch.ones(2, 2), 0, torch.ones(2, 2))
torch.index_select(torch.ones(2, 2), 0, torch.ones(2))
torch.ones(2, 2).index_select(0, [1])
torch.nn.functional.multilabel_margin_loss(torch.ones(2, 3), torch.ones(2, 3))
torch.ones(2, 2).scatter(0, torch.zeros(2, 2).long(), torch.ones(2, 2).double())
torch.nn.functional.embedding(torch.ones(2), torch.ones(2, 2))
torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.ones(2, dtype=torch.int32))
torch.nn.functional.one_hot(torch.ones(2))
torch.ones(2).masked_fill(torch.ones(2), 0)
torch.masked_select(torch.ones(2), torch.ones(2))
torch.where(torch.ones(2), torch.ones(2), torch.ones(2))
torch.bincount(torch.ones(2))
torch.ones(2).bool().cumsum(0).median(3)
torch.arange(3).exp_()
torch.norm(torch.arange(3))
torch.linalg.inv(torch.ones(2, 2).long())
torch.dot(torch.ones(2), torch.ones(2).long())
torch.zeros(2).index_add_(0, torch.tensor([0]), torch.ones(1).double())
torch.zeros(2).index_put_((torch.tensor([0]),), torch.ones(1).double())
torch.arange(4.0).bitwise_and(1)
""",
    "dimensions": """
torch.ones(2, 3).sum(2)
torch.ones(2, 3).sum(-3)
torch.ones(2, 3).sum((0, 0))
torch.ones(2, 3).mean(5)
torch.ones(2, 3).max(2)
torch.ones(2, 3).argmax(2)
torch.ones(2, 3).softmax(2)
torch.ones(2, 3).transpose(0, 2)
torch.ones(2, 3).permute(0, 2)
torch.ones(2, 3).permute(0)
torch.ones(2, 3).permute(0, 0)
torch.ones(2, 3, 4).t()
torch.ones(2, 3).unsqueeze(4)
torch.ones(2, 3).squeeze(2)
torch.ones(2, 3).flatten(2)
torch.ones(2, 3).flatten(1, 0)
torch.ones(2, 3).size(2)
torch.ones(2, 3).select(2, 0)
torch.ones(2, 3).select(0, 2)
torch.ones(2, 3).narrow(0, 1, 2)
torch.ones(2, 3).narrow(2, 0, 1)
torch.ones(2, 3).chunk(0)
torch.ones(2, 3).split(-1)
torch.ones(2, 3).split([1, 2])
torch.ones(2, 3).unbind(2)
torch.tensor(1.0).unbind()
torch.ones(2, 3).repeat(2)
torch.ones(2, 3).flip(2)
torch.ones(2, 3).roll((1, 2), 0)
torch.ones(2, 3).movedim(0, 2)
torch.ones(2, 3).cumsum(2)
torch.ones(2, 3).sort(2)
torch.ones(2, 3).topk(4)
torch.ones(2, 3).topk(1, 2)
torch.ones(2, 3).kthvalue(4)
torch.ones(2, 3).diagonal(0, 0, 0)
torch.ones(2, 3).unflatten(1, (2, 2))
torch.ones(2, 3).unfold(0, 3, 1)
torch.diag(torch.ones(2, 2, 2))
torch.tril(torch.ones(2))
torch.tensor([]).max()
torch.tensor([]).argmax()
torch.ones(0, 3).max(0)
torch.ones(2, 3).std((0, 3))
torch.ones(2, 3).swapaxes(0, 3)
torch.ones(2, 3).gather(2, torch.zeros(2, 3).long())
torch.ones(2, 3).norm(dim=2)
torch.ones(2, 3).expand(2, -1, 3, -1)
""",
    "shapes": """
torch.ones(2, 3).view(4)
torch.ones(2, 3).view(-1, 4)
torch.ones(2, 3).view(-1, -1)
torch.ones(2, 3).view(2, -3)
torch.ones(2, 3).t().view(6)
torch.ones(2, 3).reshape(4)
torch.ones(2, 3).reshape(5, -1)
torch.ones(0).reshape(0, -1)
torch.ones(2, 3).view("a")
torch.ones(2, 3).view()
torch.cat([torch.ones(2, 3), torch.ones(2, 4)])
torch.cat([torch.ones(2, 3), torch.ones(3, 3)], 1)
torch.cat([torch.ones(2, 3), torch.ones(2)])
torch.cat([])
torch.cat([torch.tensor(1.0), torch.tensor(2.0)])
torch.cat(torch.ones(2, 3))
torch.cat([torch.ones(2), 1])
torch.cat([torch.ones(2)], 1)
torch.stack([torch.ones(2), torch.ones(3)])
torch.stack([])
torch.stack([torch.ones(2)], 2)
torch.hstack([torch.ones(2, 3), torch.ones(3, 3)])
torch.vstack([torch.ones(2), torch.ones(3)])
torch.meshgrid(torch.ones(2, 2), torch.ones(2), indexing="ij")
torch.meshgrid(torch.ones(2), torch.ones(2, dtype=torch.long), indexing="ij")
torch.meshgrid(torch.ones(2), torch.ones(2), indexing="zz")
torch.meshgrid(indexing="ij")
torch.cartesian_prod(torch.ones(2, 2))
torch.tensor([[1, 2], [3]])
torch.tensor([1, "a"])
torch.tensor([1, None])
torch.zeros(-1)
torch.zeros(2, "a")
torch.zeros(2.5)
torch.eye(-1)
torch.arange(0, 5, -1)
torch.arange(0, 5, 0)
torch.linspace(0, 1, -1)
torch.randint(5, 5, (2,))
torch.randperm(-1)
torch.full((2,))
torch.ones(2, 3).resize_(-1)
torch.nn.functional.mse_loss(torch.ones(2), "a")
torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0]))
torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3]))
torch.nn.functional.nll_loss(torch.ones(2, 3), torch.tensor([0, -1]))
torch.nn.functional.binary_cross_entropy(torch.ones(2), torch.ones(3))
torch.nn.functional.binary_cross_entropy(torch.tensor([1.5]), torch.ones(1))
torch.nn.functional.binary_cross_entropy_with_logits(torch.ones(2), torch.ones(3))
torch.nn.functional.binary_cross_entropy_with_logits(torch.ones(2), torch.ones(2), pos_weight=2.0)
torch.nn.functional.embedding(torch.tensor([5]), torch.ones(2, 3))
torch.nn.functional.one_hot(torch.tensor([3]), 2)
torch.nn.functional.conv2d(torch.ones(1, 3, 8, 8), torch.ones(4, 2, 3, 3))
torch.nn.functional.conv2d(torch.ones(1, 3, 2, 2), torch.ones(4, 3, 3, 3))
torch.nn.functional.conv2d(torch.ones(3), torch.ones(4, 3, 3, 3))
torch.nn.functional.max_pool2d(torch.ones(1, 1, 2, 2), 3)
torch.nn.functional.layer_norm(torch.ones(2, 3), (2,))
torch.nn.functional.dropout(torch.ones(2), 1.5)
torch.nn.functional.pad(torch.ones(2), (1, 1, 1, 1))
torch.nn.Linear(2, 3)(torch.ones(4, 5))
torch.nn.BatchNorm1d(3)(torch.ones(2, 4))
torch.nn.BatchNorm1d(3)(torch.ones(1, 3))
torch.nn.BatchNorm2d(3)(torch.ones(2, 3))
torch.nn.Embedding(3, 2)(torch.tensor([3]))
torch.nn.Conv2d(3, 4, 3)(torch.ones(1, 1, 8, 8))
torch.nn.LSTM(2, 3)(torch.ones(4, 5, 6))
torch.nn.Sequential(torch.nn.Linear(2, 3), 5)
torch.nn.Module()(torch.ones(1))
torch.nn.Linear(2, 2).load_state_dict({})
torch.nn.Linear(2, 2).load_state_dict({"weight": torch.ones(3, 2), "bias": torch.ones(2)})
""",
    "indexing": """
torch.ones(3)[3]
torch.ones(3)[-4]
torch.ones(2, 3)[0, 3]
torch.ones(2, 3)[0, 0, 0]
torch.tensor(1.0)[0]
torch.ones(3)[0.5]
torch.ones(3)["a"]
torch.ones(3)[::-1]
torch.ones(3)[1.0:]
torch.ones(3)[torch.tensor([0, 3])]
torch.ones(3)[torch.tensor([True, False])]
torch.ones(2, 3)[torch.tensor([0, 1]), torch.tensor([0, 1, 2])]
torch.ones(3)[[0, 5]]
torch.ones(2, 3)[:, [3]]
x = torch.ones(3); x[3] = 1.0; x
x = torch.ones(3); x[:2] = torch.ones(3); x
x = torch.ones(3); x[0] = "a"; x
x = torch.ones(3); x[torch.tensor([0, 1])] = torch.ones(3); x
x = torch.ones(3); x[torch.tensor([True, False])] = 1.0; x
x = torch.ones(3); x[0] = torch.ones(2); x
torch.gather(torch.ones(2, 3), 1, torch.tensor([[3], [0]]))
torch.gather(torch.ones(2, 3), 1, torch.tensor([0]))
torch.ones(2, 3).index_select(0, torch.tensor([2]))
torch.ones(2, 3).index_select(0, torch.tensor([[0]]))
torch.ones(2, 3).scatter_(1, torch.tensor([[3]]), 1.0)
torch.ones(2, 3).take(torch.tensor([6]))
torch.ones(3).masked_select(torch.ones(2) > 0)
torch.ones(3).index_fill_(0, torch.tensor([3]), 1.0)
del torch.ones(3)[0]; 1
len(torch.tensor(1.0))
len(torch.tensor(1.0)); 1
""",
    "numbers": """
torch.group_norm(torch.ones(2, 4), 0)
torch.nn.functional.group_norm(torch.ones(2, 4), 0)
torch.nn.functional.group_norm(torch.ones(2, 4), -1)
torch.nn.functional.layer_norm(torch.ones(2, 3).half(), (3,), torch.ones(3), torch.ones(3).half())
torch.nn.functional.layer_norm(torch.ones(2, 3).half(), (3,), torch.ones(3).half(), torch.ones(3))
torch.nn.functional.layer_norm(torch.ones(2, 3).half(), (3,), torch.ones(3).double(), torch.ones(3))
torch.nn.functional.group_norm(torch.ones(2, 3).half(), 1, torch.ones(3), torch.ones(3).half())
torch.nn.functional.group_norm(torch.ones(2, 3).half(), 1, torch.ones(3).half(), torch.ones(3))
torch.quantile(torch.ones(2, 0), 0.5, 1)
torch.quantile(torch.ones(2, 0), 0.5, 0)
torch.nanquantile(torch.ones(0), 0.5)
torch.linalg.tensorinv(torch.eye(2), 0)
torch.linalg.tensorinv(torch.eye(2), -1)
torch.linalg.lu(torch.eye(2), pivot=False)
torch.linalg.lu_factor(torch.eye(2), pivot=False)
torch.linalg.lu_factor_ex(torch.eye(2), pivot=False)
torch.lu(torch.eye(2), pivot=False)
torch.ones(2).item()
torch.ones(0).item()
float(torch.ones(2))
int(torch.ones(2))
bool(torch.ones(2))
bool(torch.ones(0))
1 if torch.ones(2) > 0 else 0
torch.ones(2) and torch.ones(2)
not torch.ones(2)
range(torch.ones(2))
[1, 2][torch.tensor(1.0)]
[1, 2][torch.tensor([0, 1])]
torch.ones(2) in [torch.ones(2)]
"a" + torch.ones(2)
torch.ones(2) + "a"
torch.ones(2) + None
torch.ones(2) + [1, 2]
torch.ones(2) @ 2
torch.ones(2) < "a"
torch.ones(2, requires_grad=True).numpy()
np.array(torch.ones(2, requires_grad=True))
torch.exp(1.0)
torch.exp("a")
torch.sum([1, 2])
torch.sin()
torch.sin(torch.ones(1), 2)
torch.ones(2).sin(1)
torch.ones(2).foo
torch.foo
torch.ones(2).sum(axis=3)
torch.ones(2).to("nowhere")
torch.tensor(1.0, dtype="float32")
torch.clamp(torch.ones(2))
torch.allclose(torch.ones(2), 1.0)
torch.equal(torch.ones(2), 1.0)
torch.ones(2).type("nothing")
torch.manual_seed("a")
torch.set_default_dtype(torch.int64)
""",
    "gradients": """
torch.ones(2).backward()
torch.ones(2, requires_grad=True).backward()
(torch.ones(2, requires_grad=True) * 2).backward()
torch.tensor(1.0).backward()
x = torch.ones(2, requires_grad=True); x.add_(1); x
x = torch.ones(2, requires_grad=True); x[0] = 5.0; x
x = torch.ones(2, requires_grad=True); x += 1; x
x = torch.ones(2, requires_grad=True); x.fill_(0); x
x = torch.ones(2, requires_grad=True); y = x.exp(); y.mul_(2); y.sum().backward()
x = torch.ones(2, requires_grad=True); y = x * 1; z = y ** 2; y.add_(1); z.sum().backward()
x = torch.ones(2, requires_grad=True); y = (x ** 2).sum(); y.backward(); y.backward()
x = torch.ones(2, requires_grad=True); y = (x ** 2).sum(); y.backward(torch.ones(3))
x = torch.ones(2, requires_grad=True); y = x ** 2; y.backward(torch.ones(3))
x = torch.ones(2, requires_grad=True); y = x ** 2; y.backward(1.0)
x = torch.ones(2, requires_grad=True); torch.autograd.grad(x.sum(), torch.ones(2))
x = torch.ones(2, requires_grad=True); z = torch.ones(2, requires_grad=True); torch.autograd.grad(x.sum(), z)
x = torch.ones(2, requires_grad=True); torch.autograd.grad(x * 2, x)
x = torch.ones(2, requires_grad=True); torch.autograd.grad(x.detach().sum(), x)
x = torch.ones(2, requires_grad=True); x.grad = torch.ones(3); x
x = torch.ones(2, requires_grad=True); x.grad = torch.ones(2).double(); x
x = torch.ones(2, requires_grad=True); x.grad = 1; x
x = torch.ones(2, requires_grad=True); y = x * 2; y.requires_grad = False; y
torch.ones(2).retain_grad()
torch.ones(2).register_hook(print)
x = torch.ones(2, requires_grad=True); (x > 0).sum().backward()
x = torch.ones(2, requires_grad=True); x.argmax().backward()
x = torch.ones(2, requires_grad=True); x.unbind()[0].add_(1); x
x = torch.ones(4, requires_grad=True); a, b = (x * 1).split(2); a.add_(1); a
x = torch.ones(2, requires_grad=True); x.resize_(3)
x = torch.ones(2, requires_grad=True); x.detach_().add_(1).sum().backward()
x = torch.ones(2, requires_grad=True); torch.optim.SGD([x * 2], 0.1)
torch.optim.SGD([], 0.1)
torch.optim.SGD([torch.ones(1)], -1.0)
torch.optim.Adam([torch.ones(1)], betas=(2.0, 0.9))
torch.optim.SGD(torch.ones(2), 0.1)
torch.optim.SGD([5], 0.1)
x = torch.ones(2, requires_grad=True); torch.add(x, 1, out=torch.ones(2))
torch.mm(torch.ones(2, 2), torch.ones(2, 2), out=torch.ones(2, 2).long())
torch.add(torch.ones(2), 1, out=torch.ones(2).long())
""",
}

# The exception is the same, its text is not, because ...
DIFFERENT_TEXT = {
    "Python itself checks the arguments of a Python function, and C++ those of PyTorch's": [
        "torch.full((2,))",
        "torch.sin()",
        "torch.ones(2).sin(1)",
    ],
    "it names the module, which has another name": ["torch.foo"],
    "it is about the inner workings of the library": [
        'torch.nn.functional.mse_loss(torch.ones(2), "a")',
        'torch.ones(2, 3).view("a")',
        "torch.ones(2, 3).view()",
        "torch.ones(2, 3).resize_(-1)",
    ],
    "PyTorch prints the offending tensor in C++'s format, minigrad its shape": [
        'torch.meshgrid(torch.ones(2, 2), torch.ones(2), indexing="ij")'
    ],
}
