"""Where a wrong call of `test_bent_calls.py` ends otherwise than in PyTorch.

By what differs, then by the line: its wrong calls, as `test_bent_calls.py` names them. Most are of
these kinds:

- PyTorch's kernel is not written for integers, or wants tensors of one dtype, where minigrad
  promotes (`cross`, `cdist`, `huber_loss`, `max_unpool2d`); or PyTorch wants a gradient of whole
  numbers, "Autograd not support dtype".
- A float32 tensor meets a float64 one: PyTorch rounds in the middle, minigrad at the end.
- Two things are wrong at once, and the other one is named first.
- PyTorch's sentence speaks of its own inside ("numel: integer multiplication overflow").
- What has no meaning has other values: indices of equal numbers, shapes of nothing.
"""

DIFFERENT: dict[str, dict[str, str]] = {
    # one of the two computes, or both compute something else
    "outcome": {
        "torch.argmax(x, {dim})": "#0 1 no dims, #0 -3 no dims, #0 5 no dims",
        "torch.select_scatter(x, y, 0, -1)": "x int64",
        "torch.slice_scatter(x, y, 0, 1, 3)": "x int64",
        "torch.diagonal_scatter(x, y)": "x int64",
        "F.pixel_unshuffle(x, 2)": "x empty 0, x empty 1, x empty 2",
        "torch.index_add(x, 0, c, y, alpha={1|0.5})": "x empty 0",
        "torch.index_fill(x, 0, c, y)": "x int64",
        "F.embedding_bag(c, x, mode={'sum'|'mean'|'max'})": "c empty 1",
        "torch.bilinear(x, y, z, w)": "w float32, w int64",
        "torch.cdist(x, y, p={2.0|1.0|3.0})": "x float32, y float32",
        "torch.cdist(x, y, compute_mode='use_mm_for_euclid_dist')": "x float32, y float32",
        "F.cosine_similarity(x, y, dim={0|1})": "x float32, y float32",
        "F.scaled_dot_product_attention(x, y, z, is_causal={True|False})": "z empty 0, z empty 1",
        "torch.linalg.lstsq(x, y) of 4 2 and 4 m": "x one more, y one more, y empty 1",
        "torch.linalg.lstsq(x, y) of b 4 2 and b 4 m": (
            "x first, x one more, y first, y one more, y empty 2"
        ),
        "torch.linalg.lstsq(x, y, driver='gels')": "x one more, x empty 1, y one more",
        "F.huber_loss(x, y, reduction={'none'|'mean'|'sum'}, delta={1.0|0.5})": "x int64",
        "F.binary_cross_entropy_with_logits(x, c, reduction={'none'|'mean'|'sum'})": (
            "x float32, c float32"
        ),
        "F.soft_margin_loss(x, c, reduction={'none'|'mean'|'sum'})": (
            "x no dims, x first, x shorter 1, c one more"
        ),
        "F.kl_div(x, c, reduction={'none'|'mean'|'sum'})": "c float32",
        "F.poisson_nll_loss(x, c, reduction={'none'|'mean'|'sum'})": "x float32, x int64",
        "F.conv_transpose2d(x, y, stride={1|2})": "y empty 1",
        "F.batch_norm(x, None, None, y, z, training=True)": "x empty 1",
        "F.batch_norm(x, c, d, y, z)": "x empty 0, x empty 1",
        "torch.fill(x, y)": "x int64",
        "torch.as_strided_scatter(x, y, ({n},), (1,))": "x int64, #1 0",
        "F.cross_entropy(x, c, reduction={'none'|'mean'|'sum'}, label_smoothing={0.0|0.25}) of n m and n m": (
            "x float32"
        ),
        "torch.linalg.solve_triangular(torch.triu(x) + 5 * torch.eye({n}, dtype=x.dtype), y, upper=True)": (
            "x float32, y float32, y int64"
        ),
        "torch.scatter_add(x, 0, c, y)": "c one more",
        "torch.scatter_reduce(x, 0, c, y, {'sum'|'mean'|'amax'|'prod'})": "c one more",
        "torch.index_add(x, 0, c, y)": "x one more",
    },
    # another exception
    "error": {
        "torch.bitwise_and(x, y)": "x empty 0, y empty 0",
        "torch.bitwise_or(x, y)": "x empty 0, y empty 0",
        "torch.bitwise_xor(x, y)": "x empty 0, y empty 0",
        "torch.bitwise_left_shift(x, y)": "x empty 0, y empty 0",
        "torch.bitwise_right_shift(x, y)": "x empty 0, y empty 0",
        "x.clone().as_strided_(({n},), (1,))": "#0 -3, #0 -3 no dims",
        "x.expand(3, {n}, 2)": "#0 -3, #2 -3, #0 -3 no dims, #1 -3 no dims, #2 -3 no dims",
        "torch.unsafe_split(x, {1|2}, {dim})": "#1 1 no dims, #1 -3 no dims, #1 5 no dims",
        "torch.unsafe_split_with_sizes(x, [1, 3], 0)": "#2 1 no dims, #2 -3 no dims, #2 5 no dims",
        "x.as_strided((2, 2), (1, {0|1|2}))": "#0 -3, #1 -3, #0 -3 no dims",
        "x.clone().index_put_((c,), y, accumulate={True|False})": "x first",
        "x.index_put((c,), y, accumulate=True)": "x first, x one more",
        "torch.index_select(x, 0, c)": "x empty 0, #0 1, #0 -1",
        "torch.index_copy(x, 0, c, y) of n m and n m and n": "x empty 0",
        "torch.index_reduce(x, 0, c, y, {'amax'|'mean'|'amin'})": "x shorter 0, x empty 0",
        "torch.scatter(x, 1, c, y)": "y no dims, y first",
        "torch.scatter(x, 1, c, y, reduce='add')": "y no dims, y first",
        "torch.scatter_add(x, 1, c, y)": "y no dims",
        "torch.scatter_reduce(x, 1, c, y, {'sum'|'mean'|'amax'|'prod'}, include_self={True|False})": (
            "y no dims"
        ),
        "F.embedding(c, x)": "x no dims, x empty 0",
        "F.embedding(c, x, padding_idx=0, scale_grad_by_freq={True|False})": "x empty 0",
        "torch.mv(x, y)": "x no dims",
        "torch.addbmm(x, y, z, beta={1|0.5}, alpha={1|2})": "y no dims, z no dims, z first",
        "torch.baddbmm(x, y, z, beta={1|0.5}, alpha={1|2})": "y no dims, z no dims, z first",
        "torch.bilinear(x, y, z, w)": "z first",
        "torch.linalg.lstsq(x, y) of b 4 2 and b 4 m": (
            "x longer 0, x empty 0, y longer 0, y empty 0"
        ),
        "F.cross_entropy(x, c, reduction={'none'|'mean'|'sum'}, label_smoothing={0.0|0.25}) of n m and n": (
            "x no dims"
        ),
        "F.ctc_loss(F.log_softmax(x, 2), c, (6, 6), (2, 2), blank=3)": "x one more, c no dims",
        "F.batch_norm(x, None, None, y, z, training=True)": "x no dims",
        "torch.as_strided_scatter(x, y, ({n},), (1,))": "#0 -3",
        "F.cross_entropy(x, c, reduction={'none'|'mean'|'sum'}, label_smoothing={0.0|0.25}) of n m and n m": (
            "x no dims"
        ),
        "torch.linalg.solve_triangular(torch.triu(x) + 5 * torch.eye({n}, dtype=x.dtype), y, upper=True)": (
            "x int64, all bool"
        ),
        "x.broadcast_to({shape})": "#0 -3 no dims, #1 -3 no dims",
        "F.embedding_bag(c, x, mode={'sum'|'mean'|'max'})": "all bool",
        "F.embedding_bag(c, x, per_sample_weights=y, mode='sum')": "all bool",
    },
    # another sentence
    "text": {
        "torch.rsub(x, y)": "x empty 0, y empty 0",
        "torch.lerp(x, y, z)": "x int64",
        "torch.masked_fill(x, c, y)": "y one more, c float32, c int64, all int64",
        "torch.aminmax(x, dim={dim}, keepdim={True|False})": "x empty 0",
        "torch.cummax(x, {dim})": "#0 1 no dims, #0 -3 no dims, #0 5 no dims",
        "torch.cummin(x, {dim})": "#0 1 no dims, #0 -3 no dims, #0 5 no dims",
        "torch.cat((x, y), {0|-2})": "y no dims",
        "torch.unbind(x, {dim})": "#0 1 no dims, #0 -3 no dims, #0 5 no dims",
        "torch.chunk(x, 2, {dim})": "#0 -3 no dims",
        "torch.narrow_copy(x, 0, 0, {n})": "x no dims, #0 5, #2 -3",
        "x.unflatten(0, (2, {2|-1}))": "x no dims, #1 -3, #2 -3",
        "torch.meshgrid(x, y, indexing={'ij'|'xy'})": "x one more, y one more",
        "x.clone().index_put_((c,), y, accumulate={True|False})": "x empty 0",
        "x.index_put((c,), y, accumulate=True)": "x empty 0",
        "torch.index_fill(x, 0, c, {2.0|-1}) of n m and k": "x empty 0",
        "torch.index_fill(x, 0, c, y)": "x empty 0",
        "torch.put(x, c, y, accumulate={True|False})": "x empty 0, x empty 1",
        "torch.take_along_dim(x, c, 1)": (
            "x longer 0, x shorter 0, x empty 0, x empty 1, c longer 0, c shorter 0, c empty 0, "
            "#0 0"
        ),
        "F.embedding_bag(c, x, mode={'sum'|'mean'|'max'})": "x shorter 0, x empty 0",
        "F.embedding_bag(c, x, per_sample_weights=y, mode='sum')": "x shorter 0, x empty 0",
        "F.linear(x, y, z) of b n and m n and m": "y float32, y int64",
        "F.linear(x, y, z) of k b n and m n and m": "x empty 2, y float32, y int64",
        "torch.addmm(x, y, z, beta={1|0.5|0}, alpha={1|2})": "z float32, z int64",
        "torch.addbmm(x, y, z, beta={1|0.5}, alpha={1|2})": (
            "x one more, y first, y one more, z one more, z float32, z int64"
        ),
        "torch.baddbmm(x, y, z, beta={1|0.5}, alpha={1|2})": (
            "x one more, y first, y one more, y longer 0, y shorter 0, y empty 0, z one more, z "
            "float32, z int64"
        ),
        "torch.addr(x, y, z, beta={1|0.5}, alpha={1|2})": "x one more",
        "torch.bilinear(x, y, z, w)": (
            "x float32, x int64, y float32, y int64, z no dims, z float32, z int64, w no dims, "
            "w first"
        ),
        "torch.linalg.lstsq(x, y) of 4 2 and 4 m": "y no dims, y first",
        "torch.linalg.lstsq(x, y) of b 4 2 and b 4 m": "y no dims",
        "torch.linalg.lstsq(x, y) of b 4 2 and b 4": "x one more, y no dims, y first",
        "torch.linalg.lstsq(x, y, driver='gels')": "y no dims, y first",
        "F.soft_margin_loss(x, c, reduction={'none'|'mean'|'sum'})": "x int64, all bool",
        "F.gaussian_nll_loss(x, y, z, reduction={'none'|'mean'|'sum'})": (
            "z int64, all int64, all bool"
        ),
        "F.ctc_loss(F.log_softmax(x, 2), c, (6, 6), (2, 2), blank=3)": "c one more",
        "F.conv1d(x, y, z, stride={1|2}, padding={0|1}, dilation={1|2})": (
            "x float32, x int64, y empty 2, #2 0, #2 -3"
        ),
        "F.conv2d(x, y, stride={1|2}, padding={0|1})": "y empty 2, y empty 3",
        "F.conv_transpose2d(x, y, stride={1|2})": "y empty 2, y empty 3",
        "F.avg_pool2d(x, {2|(1, 2)}, stride={1|2})": "x no dims",
        "F.unfold(x, 2, stride={1|2})": "x no dims",
        "F.max_unpool2d(x, torch.tensor([[[0, 3], [8, 10]]]), 2)": "#4 1",
        "F.group_norm(x, 2, y, z)": (
            "z no dims, z first, z one more, z longer 0, z shorter 0, z empty 0"
        ),
        "torch.fill(x, y)": "y one more",
        "torch.cholesky_solve(x, torch.tril(y) + 5 * torch.eye({n}, dtype=y.dtype))": (
            "x longer 0, x shorter 0, x empty 0, x float32, x int64, y float32, y int64, all "
            "bool"
        ),
        "torch.linalg.lu_solve(*torch.linalg.lu_factor(x + 16 * torch.eye({n}, dtype=x.dtype)), y)": (
            "x float32, y float32, y int64"
        ),
        "torch.take_along_dim(x, c, 0)": "x empty 0",
        "x.broadcast_to({shape})": "x one more",
        "torch.addmm(x, y, z, beta=0, alpha=0)": "z float32, z int64",
        "torch.trapezoid(x, dx={0.5|2}, dim={0|-1})": "#0 1 no dims, #0 -3 no dims, #0 5 no dims",
        "F.margin_ranking_loss(x, y, c, reduction={'none'|'mean'|'sum'})": "all bool",
    },
}  # fmt: skip
