"""What the families of algorithms share.

``problem.py``
    `Problem`, the matrix to factor: checked and measured once, divided by a power of
    two so that no square over- or underflows, then read by the sweeps as a dense array
    or by products alone.
``factors.py``
    One factor while an algorithm works on it, sparse or dense, and chains of sparse
    factors packed for the kernels.
``result.py``
    What the public functions return (`Factorization`, `LearnedButterfly`), the
    histories in them, and what they hand to a callback.
"""
