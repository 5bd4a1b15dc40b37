"""The proof: one program runs on PyTorch and on minigrad, and every step of it is compared.

    python -m parity                    all suites: the regression examples of the documents
    python -m parity gd_vs_sgd          one of them
    python -m parity run script.py      any script that says `import torch`

How it works, in reading order:

    program.py        what is run: a suite or a script, with its seeds
    callers.py        whose calls count: the program's, not the library's own
    record.py         what is written down while it runs: one `Event` after the other
    graph.py          the part of it that follows `grad_fn` and listens to the backward pass
    units.py          what results are measured in where a sum has cancelled: products.py,
                      convolutions.py, cancelling.py
    torch_side.py     how PyTorch's calls are noticed, through its public extension points
    minigrad_side.py  how minigrad's calls are noticed, without a line for it in the engine
    stand_ins.py      what both sides have to replace by name
    worker.py         PyTorch's process: it runs one program after the other and spools the events
    compare.py        how far two arrays are apart, in ULPs
    differences.py    the first difference, in words
    lockstep.py       minigrad's run, each event held against PyTorch's
    runner.py         all programs, one after the other
    report.py, html.py, plots.py  what is shown
    suites/           the programs
"""
