"""What the families of algorithms share.

``problem.py``
    `Problem`, the matrix to factor: checked and measured once, divided by a power of
    two so that no square over- or underflows, then read by the sweeps as a dense array
    or by products alone.
``factors.py``
    One factor while an algorithm works on it, sparse or dense, and chains of sparse
    factors packed for the kernels.
``result.py``
    What every public function returns (`Factorization`), the history in it, and what
    every callback receives (`CallbackState`).
``as_factors.py``
    What an argument that takes factors accepts, read in one place: results, operators,
    chains, matrices.
``operator_factors.py``
    An operator as a product of sparse factors, and a product as the butterfly that it
    came from.
"""
