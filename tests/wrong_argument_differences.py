"""Where a wrong argument has another outcome than in PyTorch: see `test_wrong_arguments.py`.

By the kind of argument and of difference, the functions, and in brackets which tensor of the line
in `op_lines.py` was replaced. What lies behind them:

- AttributeError: no type is asked for before the first use of an attribute, as in any Python
  function. No argument has to be looked at in the calls that are right.
- "no error": minigrad computes what PyTorch refuses because a kernel of its is not made for the
  dtype, or takes None or a number where a sentence of PyTorch's says no.
- NotImplementedError is a RuntimeError; which of them depends on whether the dtype or the shapes
  are looked at first, and so do many texts.
- Texts name the function that minigrad calls underneath.
"""

DIFFERENCES = {
    "no tensor: AttributeError for TypeError": """
torch.float_power[x] torch.masked_fill[x] torch.masked_scatter[x] torch.all[x] torch.any[x]
torch.unsqueeze[x] torch.squeeze[x] torch.t[x] torch.transpose[x] torch.permute[x]
torch.split[x] torch.unbind[x] torch.chunk[x] torch.unsafe_split[x]
torch.unsafe_split_with_sizes[x] torch.narrow[x] torch.select[x] torch.select_scatter[x]
torch.select_scatter[y] torch.slice_scatter[x] torch.slice_scatter[y] torch.diagonal_scatter[x]
torch.diagonal_scatter[y] torch.index_add[x] torch.index_copy[x] torch.index_fill[x]
torch.index_fill[c] torch.index_reduce[x] torch.scatter[x] torch.scatter[c] torch.scatter_add[x]
torch.scatter_add[c] torch.scatter_reduce[x] torch.scatter_reduce[c] torch.take[x] torch.put[x]
torch.take_along_dim[x] torch.take_along_dim[c] F.embedding[x] F.linear[x] F.linear[y]
F.linear[z] torch.addmm[x] torch.bilinear[w] torch.linalg.pinv[x] torch.linalg.lstsq[x]
torch.linalg.lstsq[y] torch.linalg.multi_dot[x] torch.linalg.multi_dot[y]
torch.linalg.multi_dot[z] F.soft_margin_loss[x] F.soft_margin_loss[c] F.nll_loss[x]
F.nll_loss[c] F.multi_margin_loss[x] F.multi_margin_loss[c] F.multilabel_margin_loss[x]
F.multilabel_margin_loss[c] F.kl_div[x] F.kl_div[c] F.triplet_margin_loss[x]
F.triplet_margin_loss[y] F.triplet_margin_loss[z] F.ctc_loss[c] F.layer_norm[y] F.layer_norm[z]
F.group_norm[y] F.group_norm[z] F.instance_norm[y] F.instance_norm[z] F.batch_norm[y]
F.batch_norm[z] F.batch_norm[c] F.batch_norm[d] torch.native_dropout[x]
F.cosine_embedding_loss[y] torch.as_strided_scatter[x] torch.as_strided_scatter[y]
torch.cumulative_trapezoid[x] x.expand_as[y] x.type_as[y] torch.movedim[x] torch.bincount[x]
torch.cov[c] torch.trapezoid[x] torch.chain_matmul[x] torch.chain_matmul[y] torch.adjoint[x]
torch.alias_copy[x] torch.fliplr[x] torch.flipud[x] torch.pinverse[x] torch.positive[x]
torch.rand_like[x] torch.randn_like[x] torch.ravel[x] torch.squeeze_copy[x] torch.svd[x]
torch.t_copy[x] torch.unbind_copy[x] torch.broadcast_tensors[x] torch.broadcast_tensors[y]
torch.linalg.householder_product[y] torch.orgqr[y] torch.linalg.tensorinv[x]
torch.linalg.tensorsolve[x] torch.linalg.tensorsolve[y] torch.linalg.vander[x]
torch.as_strided_copy[x] torch.hsplit[x] torch.expand_copy[x] torch.permute_copy[x]
torch.select_copy[x] torch.split_copy[x] torch.split_with_sizes[x] torch.unsafe_chunk[x]
torch.split_with_sizes_copy[x] torch.transpose_copy[x] torch.unfold_copy[x]
torch.unsqueeze_copy[x] torch.view_copy[x] torch.swapaxes[x] torch.swapdims[x] torch.moveaxis[x]
torch.randint_like[x] torch.trapz[x] torch.native_layer_norm[y] torch.native_layer_norm[z]
torch.native_group_norm[x] torch.native_group_norm[y] torch.native_group_norm[z]
torch.rms_norm[y] torch.lstm_cell[x] torch.lstm_cell[y] torch.lstm_cell[z] torch.lstm_cell[w]
torch.gru_cell[x] torch.gru_cell[y] torch.gru_cell[z] torch.gru_cell[w] torch.rnn_tanh_cell[x]
torch.rnn_tanh_cell[y] torch.rnn_tanh_cell[z] torch.rnn_tanh_cell[w] torch.rnn_relu_cell[x]
torch.rnn_relu_cell[y] torch.rnn_relu_cell[z] torch.rnn_relu_cell[w] F.celu_[x] F.elu_[x]
F.hardtanh_[x] F.leaky_relu_[x] F.relu_[x] F.selu_[x] F.threshold_[x] F.gumbel_softmax[x]
F.one_hot[c] F.rms_norm[y] x.reshape_as[y] x.view_as[y]
""",
    "no tensor: text": """
torch.div[x] torch.div[y] torch.square[x] x.copy_[y] x.mul_[y] F.logsigmoid[x] F.selu[x]
F.relu6[x] torch.unique[x] x.index_put_[c] x.index_put[c] torch.put[y] torch.put[c]
torch.vdot[x] torch.vdot[y] torch.einsum[x] torch.einsum[y] torch.linalg.eigvalsh[x]
torch.linalg.svdvals[x] torch.linalg.matrix_power[x] F.poisson_nll_loss[x] F.poisson_nll_loss[c]
F.hinge_embedding_loss[x] F.hinge_embedding_loss[y] F.conv_transpose2d[x] F.conv_transpose2d[y]
F.conv_transpose2d[z] torch.linalg.matrix_exp[x] torch.matrix_power[x] torch.absolute[x]
torch.arccos[x] torch.arccosh[x] torch.arcsin[x] torch.arcsinh[x] torch.arctan[x]
torch.arctanh[x] torch.diagonal_copy[x] torch.fix[x] torch.inverse[x] torch.msort[x]
torch.negative[x] torch.linalg.cholesky_ex[x] torch.linalg.cond[x] torch.linalg.eigh[x]
torch.linalg.lu_factor_ex[x] torch.special.expit[x] torch.special.gammaln[x]
torch.special.psi[x] torch.arctan2[x] torch.arctan2[y] torch.ger[x] torch.ger[y]
torch.linalg.householder_product[x] torch.orgqr[x] torch.special.multigammaln[x]
torch.native_layer_norm[x] F.rrelu_[x] F.conv_transpose1d[x] F.conv_transpose1d[y]
F.conv_transpose1d[z] F.conv_transpose3d[x] F.conv_transpose3d[y] F.conv_transpose3d[z]
F.multilabel_soft_margin_loss[x]
""",
    "no tensor: TypeError for AttributeError": """
F.tanhshrink[x] F.softsign[x] F.glu[x] F.softmax[x] F.log_softmax[x] F.softmin[x] torch.norm[x]
torch.tensordot[x] torch.tensordot[y] F.ctc_loss[x] F.lp_pool1d[x] F.lp_pool2d[x] F.lp_pool3d[x]
""",
    "no tensor: no error for TypeError": """
torch.clamp[x] torch.clamp[y] torch.clamp[z] x.copy_[y] F.poisson_nll_loss[c] torch.normal[x]
torch.fill[y] torch.clip[x] torch.result_type[x] torch.result_type[y]
""",
    "no tensor: ValueError for TypeError": """
x.copy_[y] torch.normal[x] torch.fill[y]
""",
    "dtype: text": """
torch.lerp[x] torch.lerp[y] torch.lerp[z] F.embedding[c] F.linear[y] torch.addmm[z]
torch.addbmm[z] torch.baddbmm[z] torch.bilinear[x] torch.bilinear[y] torch.bilinear[z]
torch.linalg.solve[x] F.binary_cross_entropy_with_logits[c] F.soft_margin_loss[x]
F.gaussian_nll_loss[z] F.conv1d[x] F.conv2d[x] torch.cholesky_solve[x] torch.cholesky_solve[y]
torch.linalg.lu_solve[x] torch.linalg.lu_solve[y] torch.linalg.cholesky_ex[x]
torch.linalg.cond[x] torch.linalg.inv_ex[x] torch.linalg.matrix_rank[x] torch.linalg.solve_ex[x]
torch.linalg.solve_ex[y] torch.linalg.householder_product[x] torch.orgqr[x]
torch.linalg.tensorinv[x] torch.linalg.tensorsolve[x] torch.linalg.tensorsolve[y]
torch.triangular_solve[x] torch.triangular_solve[y] torch.histogram[x] torch.nanquantile[x]
F.conv3d[x] F.conv_transpose3d[z] F.bilinear[x] F.bilinear[y] F.bilinear[z]
""",
    "dtype: RuntimeError for NotImplementedError": """
F.embedding_bag[c] torch.bmm[x] torch.matmul[x] torch.einsum[x] torch.cross[x]
torch.linalg.det[x] torch.linalg.cholesky[x] torch.linalg.svdvals[x] torch.linalg.qr[x]
F.conv2d[x] F.conv_transpose2d[x] torch.linalg.solve_triangular[x] torch.svd[x]
torch.linalg.cond[x] torch.linalg.svd[x] F.conv_transpose1d[x] F.conv_transpose3d[x]
""",
    "dtype: no error for NotImplementedError": """
torch.cdist[x] F.pdist[x] F.multi_margin_loss[x] F.multilabel_margin_loss[x] torch.bernoulli[x]
x.bernoulli_[y] torch.special.ndtri[x] torch.special.zeta[y] torch.special.zeta[x]
torch.special.log_ndtr[x] torch.special.erfcx[x] torch.ldexp[y] torch.histogram[x]
""",
    "dtype: no error for RuntimeError": """
F.embedding[x] torch.bilinear[w] torch.cdist[x] torch.cdist[y] F.huber_loss[x]
torch.linalg.vecdot[x] torch.linalg.vecdot[y] torch.linalg.vander[x]
""",
    "dtype: RuntimeError for no error": """
F.conv_transpose2d[z] torch.linalg.matrix_exp[x] torch.linalg.solve_triangular[x]
torch.linalg.solve_triangular[y] torch.isin[x] torch.isin[y] torch.view_copy[x]
F.conv_transpose1d[z]
""",
    "dtype: result": """
F.binary_cross_entropy_with_logits[c]
""",
    "shape: text": """
torch.rsub[x] torch.rsub[y] torch.aminmax[x] x.expand[x] torch.cat[y] torch.narrow_copy[x]
x.unflatten[x] torch.meshgrid[x] torch.meshgrid[y] x.index_put_[x] x.index_put[x]
torch.index_fill[x] torch.put[x] torch.take_along_dim[x] torch.take_along_dim[c] F.embedding[x]
F.embedding_bag[x] F.linear[z] torch.addmm[x] torch.addbmm[x] torch.addbmm[y] torch.addbmm[z]
torch.baddbmm[x] torch.baddbmm[y] torch.baddbmm[z] torch.addr[x] torch.bilinear[z]
torch.bilinear[w] torch.linalg.lstsq[y] torch.linalg.lstsq[x] F.ctc_loss[c] F.avg_pool2d[x]
F.unfold[x] F.group_norm[z] F.instance_norm[x] torch.fill[y] torch.cholesky_solve[x]
x.expand_as[x] x.expand_as[y] x.broadcast_to[x] torch.linalg.cholesky_ex[x] torch.linalg.cond[x]
torch.linalg.inv_ex[x] torch.linalg.lu_factor_ex[x] torch.linalg.solve_ex[y]
torch.linalg.householder_product[x] torch.linalg.householder_product[y] torch.orgqr[x]
torch.orgqr[y] torch.linalg.tensorsolve[x] torch.linalg.tensorsolve[y] torch.triangular_solve[x]
torch.triangular_solve[y] torch.concat[y] torch.concatenate[y] torch.expand_copy[x]
torch.lstm_cell[z] torch.lstm_cell[w] torch.gru_cell[z] torch.gru_cell[w] torch.rnn_tanh_cell[z]
torch.rnn_tanh_cell[w] torch.rnn_relu_cell[z] torch.rnn_relu_cell[w] F.lp_pool2d[x]
F.bilinear[z] x.stride[x]
""",
    "shape: ValueError for RuntimeError": """
F.embedding[x] torch.linalg.lstsq[x] torch.linalg.lstsq[y] F.multilabel_margin_loss[x]
F.ctc_loss[x] F.batch_norm[c] F.batch_norm[d] torch.normal[x] torch.normal[y] x.bernoulli_[x]
x.bernoulli_[y] torch.native_group_norm[x] torch.native_group_norm[y] torch.native_group_norm[z]
torch.lstm_cell[x] torch.gru_cell[x] torch.rnn_tanh_cell[x] torch.rnn_relu_cell[x]
""",
    "shape: IndexError for RuntimeError": """
x.index_put_[x] x.index_put_[c] x.index_put[x] x.index_put[c] torch.index_select[x]
torch.index_copy[x] torch.scatter[y] torch.scatter_add[y] torch.scatter_reduce[y] F.embedding[x]
F.ctc_loss[c] torch.rnn_tanh_cell[z] torch.rnn_relu_cell[z]
""",
    "shape: no error for RuntimeError": """
torch.index_add[x] torch.kron[x] torch.linalg.lstsq[x] torch.linalg.lstsq[y]
F.soft_margin_loss[x] F.soft_margin_loss[c] torch.isin[y] torch.linalg.tensorinv[x]
torch.native_group_norm[x] torch.native_group_norm[y] torch.native_group_norm[z]
torch.gru_cell[w]
""",
    "shape: NotImplementedError for RuntimeError": """
torch.bitwise_and[x] torch.bitwise_and[y] torch.bitwise_or[x] torch.bitwise_or[y]
torch.bitwise_xor[x] torch.bitwise_xor[y] torch.bitwise_left_shift[x]
torch.bitwise_left_shift[y] torch.bitwise_right_shift[x] torch.bitwise_right_shift[y]
""",
    "shape: ValueError for IndexError": """
F.cross_entropy[x] F.batch_norm[x] torch.lstm_cell[x] torch.lstm_cell[y] torch.gru_cell[x]
torch.gru_cell[y] torch.rnn_tanh_cell[x] torch.rnn_tanh_cell[y] torch.rnn_relu_cell[x]
torch.rnn_relu_cell[y]
""",
    "shape: RuntimeError for IndexError": """
torch.index_reduce[x] torch.mv[x] torch.addbmm[y] torch.addbmm[z] torch.baddbmm[y]
torch.baddbmm[z]
""",
    "shape: RuntimeError for no error": """
torch.index_add[x] F.scaled_dot_product_attention[z] torch.bincount[c] torch.linalg.cond[x]
torch.view_copy[x]
""",
    "shape: result": """
F.pixel_unshuffle[x] torch.linalg.lstsq[x] torch.unsafe_chunk[x]
""",
    "shape: IndexError for no error": """
torch.scatter_add[c] torch.scatter_reduce[c] F.bilinear[z]
""",
    "shape: RuntimeError for ValueError": """
torch.rms_norm[x] F.rms_norm[x]
""",
    "shape: AssertionError for RuntimeError": """
F.embedding[x]
""",
    "shape: TypeError for RuntimeError": """
F.embedding[x]
""",
    "shape: ValueError for no error": """
x.bernoulli_[x]
""",
    "number: text": """
F.softshrink torch.narrow_copy x.unflatten F.conv1d F.conv2d F.conv_transpose2d
torch.linalg.tensorinv torch.histogram torch.nanquantile F.conv3d F.conv_transpose1d
F.conv_transpose3d F.upsample F.upsample_nearest x.new_zeros
""",
    "number: RuntimeError for TypeError": """
torch.div F.gelu torch.meshgrid torch.index_reduce torch.scatter torch.scatter_reduce
torch.linalg.lstsq torch.searchsorted
""",
    "number: ValueError for RuntimeError": """
x.as_strided_ x.expand x.as_strided torch.as_strided_scatter torch.as_strided_copy
torch.expand_copy torch.native_group_norm
""",
    "number: RuntimeError for no error": """
F.cross_entropy
""",
    "number: no error for RuntimeError": """
torch.native_group_norm
""",
    "no number: RuntimeError for TypeError": """
torch.div F.gelu torch.kthvalue torch.topk torch.quantile torch.repeat_interleave torch.split
torch.unsafe_split_with_sizes torch.narrow_copy torch.narrow torch.meshgrid torch.index_reduce
torch.scatter torch.scatter_reduce torch.linalg.lstsq F.ctc_loss F.adaptive_avg_pool2d
F.adaptive_max_pool2d F.layer_norm F.group_norm torch.bernoulli torch.searchsorted
torch.split_with_sizes torch.split_with_sizes_copy torch.nanquantile torch.native_layer_norm
torch.rms_norm F.adaptive_avg_pool3d F.adaptive_max_pool3d F.one_hot F.rms_norm
""",
    "no number: no error for TypeError": """
torch.addcmul torch.addcdiv torch.round F.threshold torch.prod torch.max torch.min torch.median
torch.nanmedian torch.kthvalue torch.topk torch.squeeze torch.tril torch.triu F.embedding
F.nll_loss F.ctc_loss torch.normal torch.fill x.squeeze_ torch.cov F.threshold_
""",
    "no number: ValueError for TypeError": """
torch.addcmul torch.addcdiv torch.logit F.threshold F.hardshrink torch.quantile
F.pairwise_distance torch.normal torch.fill torch.histc torch.randint_like torch.nanquantile
F.threshold_
""",
    "no number: IndexError for TypeError": """
torch.narrow torch.select torch.select_scatter torch.select_copy
""",
    "no number: AttributeError for TypeError": """
torch.float_power torch.cov
""",
    "no number: TypeError for ValueError": """
F.lp_pool2d F.lp_pool3d
""",
    "no number: AssertionError for TypeError": """
torch.dist
""",
    "no number: TypeError for RuntimeError": """
torch.tensordot
""",
}
