"""Tests that `pytest --device cuda` leaves out, by the reason.

A pattern is a file, a test, or a test with its parameters; each must name something that is there.
"""

LEFT_OUT: dict[str, set[str]] = {
    "about the device or its stand-in: runs on it in every run": {
        "test_gpu.py",
        "test_random_philox.py",
    },
    "about a machine without a GPU": {
        "test_cuda.py",
        "test_device.py",
        "test_data.py::test_pin_memory_warns_only",
        "test_nn_hooks.py::test_what_a_module_refuses[cuda]",
        "test_ops_factories.py::test_factories_and_switches[torch.ones(2, pin_memory=True)]",
        "test_ops_factories.py::test_factories_and_switches[torch.tensor([1.0], pin_memory=True)]",
        "test_ops_factories.py::test_factories_and_switches[torch.cuda.is_available(), torch.cuda.device_count()]",
        "test_ops_factories.py::test_factories_and_switches"
        "[torch.accelerator.is_available(), torch.accelerator.current_accelerator()]",
        "test_ops_factories.py::test_factories_and_switches[torch.accelerator.synchronize()]",
    },
    "memory shared with NumPy or others, or what is asked of a tensor on the CPU": {
        "test_engine.py::test_accumulation_happens_in_place",
        "test_engine.py::test_the_gradient_of_a_weight_is_the_array_of_the_product",
        "test_inplace_graph.py::test_numpy_and_data_leave_no_trace",
        "test_ops_conversion.py::test_conversions[x.cpu() is x]",
        "test_ops_conversion.py::test_conversions[x.to('cpu') is x]",
        "test_ops_conversion.py::test_conversions[x.to('cpu', torch.float32)]",
        "test_ops_conversion.py::test_conversions[x.to(torch.device('cpu'))]",
        "test_ops_creation.py::test_memory_shared_with_numpy",
        "test_ops_creation.py::test_tensor[np.ones((2, 3))[:, ::2]]",
        "test_ops_factories.py::test_conversions[float64-c + np.ones(1)]",
        "test_ops_factories.py::test_conversions[float64-c.cpu() is c]",
        "test_ops_factories.py::test_conversions[int32-c + np.ones(1)]",
        "test_ops_factories.py::test_conversions[int32-c.cpu() is c]",
        "test_ops_factories.py::test_memory_is_shared_with_other_libraries",
        "test_ops_factories.py::test_conversions"
        "[float64-c.itemsize, c.nbytes, c.ndimension(), c.layout, c.get_device(), c.is_cuda]",
        "test_ops_factories.py::test_conversions[float64-torch.is_floating_point(c), "
        "torch.is_complex(c), torch.is_signed(c), torch.get_device(c)]",
        "test_ops_factories.py::test_conversions"
        "[float64-torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(c))]",
        "test_ops_factories.py::test_conversions"
        "[int32-c.itemsize, c.nbytes, c.ndimension(), c.layout, c.get_device(), c.is_cuda]",
        "test_ops_factories.py::test_conversions[int32-torch.is_floating_point(c), "
        "torch.is_complex(c), torch.is_signed(c), torch.get_device(c)]",
        "test_ops_factories.py::test_conversions"
        "[int32-torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(c))]",
        "test_rnn.py::test_packing",
        "test_tensor.py::test_numpy_operands",
        "test_tensor.py::test_numpy_shares_memory",
        "test_tensor.py::test_what_shares_memory_with_numpy",
    },
    "an index out of range, which a GPU does not notice": {
        "test_error_texts.py::test_wrong_call"
        "[torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3]))]",
        "test_error_texts.py::test_wrong_call"
        "[torch.nn.functional.nll_loss(torch.ones(2, 3), torch.tensor([0, -1]))]",
        "test_error_texts.py::test_wrong_call"
        "[torch.nn.functional.embedding(torch.tensor([5]), torch.ones(2, 3))]",
        "test_error_texts.py::test_wrong_call"
        "[torch.gather(torch.ones(2, 3), 1, torch.tensor([[3], [0]]))]",
        "test_error_texts.py::test_wrong_call[torch.nn.Embedding(3, 2)(torch.tensor([3]))]",
        "test_error_texts.py::test_wrong_call[torch.ones(2, 3).index_select(0, torch.tensor([2]))]",
        "test_error_texts.py::test_wrong_call[torch.ones(2, 3).scatter_(1, torch.tensor([[3]]), 1.0)]",
        "test_error_texts.py::test_wrong_call[torch.ones(2, 3)[:, [3]]]",
        "test_error_texts.py::test_wrong_call[torch.ones(3)[[0, 5]]]",
        "test_error_texts.py::test_wrong_call[torch.ones(3)[torch.tensor([0, 3])]]",
        "test_losses.py::test_mistakes[nll_loss(torch.ones(3, 5), torch.tensor([1, 2, -1]))]",
        "test_losses.py::test_mistakes[nll_loss(torch.ones(3, 5), torch.tensor([1, 2, 5]))]",
        "test_ops_embedding.py::test_errors_of_embedding[embedding(torch.tensor([-1]), w)]",
        "test_ops_embedding.py::test_errors_of_embedding[embedding(torch.tensor([4, 9]), w)]",
        "test_ops_indexing.py::test_mistakes[torch.ones(2, 3)[:, [5]]]",
        "test_ops_indexing.py::test_mistakes[torch.ones(3)[[-4]]]",
        "test_ops_indexing.py::test_mistakes[torch.ones(3)[torch.tensor([3])]]",
        "test_ops_indexing.py::test_mistakes[x = torch.ones(3, 3)\\nx[[7]] = 0\\nx]",
        "test_ops_layout.py::test_mistakes[m.gather(0, -k)]",
        "test_ops_layout.py::test_mistakes[m.gather(0, k + 9)]",
        "test_ops_layout.py::test_mistakes[m.index_copy(0, i + 9, n)]",
        "test_ops_layout.py::test_mistakes[m.index_select(0, i + 9)]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[F.cross_entropy(x, c, reduction={'none'|'mean'|'sum'}, label_smoothing={0.0|0.25})0]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[F.embedding(c, x)]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[F.embedding(c, x, padding_idx=0, scale_grad_by_freq={True|False})]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[F.nll_loss(x, c, reduction={'none'|'mean'|'sum'})]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[F.nll_loss(x, c, reduction={'none'|'mean'|'sum'}, ignore_index={-100|0})]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[torch.gather(x, 0, c)0]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[torch.index_add(x, 0, c, y, alpha={1|0.5})]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[torch.index_copy(x, 0, c, y)0]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[torch.index_reduce(x, 0, c, y, {'amax'|'mean'|'amin'})]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[torch.index_select(x, 0, c)]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[torch.scatter(x, 1, c, y)]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[torch.scatter(x, 1, c, y, reduce='add')]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[torch.scatter(x, 1, c, {2.0|-1})]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[torch.scatter_add(x, 1, c, y)]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[torch.scatter_reduce(x, 1, c, y, {'sum'|'mean'|'amax'|'prod'}, include_self={True|False})]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[torch.take_along_dim(x, c, 0)]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch[torch.take_along_dim(x, c, 1)]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[x.clone().index_put_((c,), y, accumulate={True|False})]",
        "test_bent_calls.py::test_a_bent_call_ends_as_in_pytorch"
        "[x.index_put((c,), y, accumulate=True)]",
        "test_rare_branches.py::test_what_is_wrong_first_in_a_write",
        "test_wrong_arguments.py::test_one_argument_does_not_fit[torch.gather]",
        "test_wrong_arguments.py::test_one_argument_does_not_fit[torch.index_add]",
        "test_wrong_arguments.py::test_one_argument_does_not_fit[torch.index_reduce]",
        "test_wrong_arguments.py::test_one_argument_does_not_fit[torch.index_select]",
        "test_wrong_arguments.py::test_one_argument_does_not_fit[torch.scatter]",
        "test_wrong_arguments.py::test_one_argument_does_not_fit[torch.scatter_add]",
        "test_wrong_arguments.py::test_one_argument_does_not_fit[torch.scatter_reduce]",
        "test_wrong_arguments.py::test_one_argument_does_not_fit[torch.take_along_dim]",
        "test_wrong_writes.py::test_writes[index_add_]",
        "test_wrong_writes.py::test_writes[index_copy_]",
        "test_wrong_writes.py::test_writes[index_put_]",
        "test_wrong_writes.py::test_writes[scatter_]",
        "test_wrong_writes.py::test_writes[scatter_add_]",
        "test_wrong_writes.py::test_writes[scatter_reduce_]",
        "test_wrong_writes.py::test_writes[x[0, i] = y[0]]",
        "test_wrong_writes.py::test_writes[x[1:][i] = y]",
        "test_wrong_writes.py::test_writes[x[None, i] = y]",
        "test_wrong_writes.py::test_writes[x[i, i] = 0.5]",
        "test_wrong_writes.py::test_writes[x[i] *= y]",
        "test_wrong_writes.py::test_writes[x[i] = 2.0]",
        "test_wrong_writes.py::test_writes[x[i] = y[0]]",
        "test_wrong_writes.py::test_writes[x[i] = y]",
        "test_wrong_writes.py::test_writes[x[i][0] = y[0]]",
    },
    "made for the CPU: order of additions, memory layout of its kernels, bits of its generator": {
        "test_attention.py::test_the_output_lies_in_memory_as_the_query_does",
        "test_memory.py",
        "test_memory_of_conversions.py",
        "test_memory_of_modules.py",
        "test_ops_reduction.py::test_reductions[x.transpose(0, 2).var(1)]",
        "test_rare_branches.py::test_attention_of_equal_inputs_and_with_one_bias",
        "test_random_bits.py",
        "test_summation.py",
    },
    "formulas on NumPy's complex arrays": {"test_complex_step.py"},
    "measures the host's memory, or how lines of a text break": {
        "test_checkpoint.py::test_memory",
        "test_nn.py::test_print_of_parameters",
        "test_printing_text.py",
        "test_random_programs.py::test_tensors_print_alike",
        "test_robustness.py::test_ten_thousand_steps_do_not_grow",  # the stand-in lists launches
    },
    "files, processes and documents, which have their own devices": {
        "test_data_workers.py",
        "test_docs.py",
        "test_examples.py",
        "test_parity.py",
        "test_serialization.py",
        "test_state_machine.py::test_the_script_of_a_program_runs_with_parity",
    },
    "databases: `python tests/device_db.py` runs the operators'": {
        "test_module_db.py",
        "test_op_db.py",
        "test_optim_db.py",
    },
    "about the source": {"test_signatures.py", "test_structure.py"},
}
