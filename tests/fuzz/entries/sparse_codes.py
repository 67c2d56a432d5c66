"""omp, on a dictionary of four rows and six atoms."""

import numpy as np
from hypothesis import strategies as st

from ..cases import OMITTED, called, entry
from ..checks import dense, near, true
from ..pools import array, count, fixed, or_none, real
from .algorithms import targets

ATOMS = (4, 6)


def code(call):
    """Raise unless the residual of a code is orthogonal to the atoms that it uses."""
    A, y, x = dense(call["A"]), np.asarray(call["Y"]), call.result
    true(x.shape == (A.shape[1], *y.shape[1:]), f"shape {x.shape}")
    true(np.isfinite(x).all(), "codes are not finite")
    size = np.abs(A).max() * np.abs(y).max() * len(y)
    for signal, one in zip(
        y.reshape(len(y), -1).T, x.reshape(len(x), -1).T, strict=True
    ):
        support = np.flatnonzero(one)
        true(support.size <= min(A.shape), f"{support.size} non-zeros")
        if call.get("n_nonzero") is not None:
            true(support.size <= call["n_nonzero"], f"{support.size} non-zeros")
        rest = signal - A @ one
        if np.abs(one[support]).min(initial=1) < np.finfo(x.dtype).tiny:
            continue  # subnormal numbers have few digits
        inner = A[:, support].conj().T @ rest
        near(inner, np.zeros_like(inner), call.result, size=size)


@entry("omp", code, warns=("tol was not reached",))
def _(draw):
    counts, tolerances = count(1, 4), real("0.0", "0.25", bad=("-1.0", "-1e-300"))
    absent = fixed("None", OMITTED)
    counts, tolerances = draw(
        st.sampled_from(
            [
                (counts, absent),
                (absent, tolerances),
                (or_none(counts), fixed("0.25")),
                (fixed("3"), or_none(tolerances)),
            ]
        )
    )
    return called(
        "nf.omp",
        {
            "A": targets(ATOMS),
            "Y": array((4, 3), wrong_shapes=[(0, 3), (3,), (2, 2, 2), ()]),
            "n_nonzero": counts,
            "tol": tolerances,
        },
    )
