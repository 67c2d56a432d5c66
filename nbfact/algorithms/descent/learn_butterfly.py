"""learn_butterfly: gradient descent on the values of a butterfly (Dao et al. 2019)."""

import math
import numbers
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ...metrics import relative_error
from ..common.result import LearnedButterfly, LearningState
from ..common.target import checked_target
from . import twiddles as tw
from .trials import Descent


def learn_butterfly(
    target: Any,
    model: str = "BP",
    *,
    permutation: Any = "search",
    tied: bool = True,
    complex: bool | None = None,
    learning_rate: float = 0.1,
    n_iter: int = 2000,
    n_refine_iter: int = 20,
    tol: float = 1e-5,
    n_restarts: int = 0,
    dtype: Any = "float32",
    random_state: int | np.random.Generator | None = None,
    callback: Callable[[LearningState], Any] | None = None,
) -> LearnedButterfly:
    """Fit the values of a butterfly to a matrix by gradient descent.

    Minimises ‖A - B P‖² over the values of B and, where it is not given, over a few
    permutations P.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (n, n)
        The matrix A, real or complex, finite; n is a power of two, at least 2.
    model : {"BP", "BPP", "BPBP"}
        B is a product of log2(n) factors of 2×2 blocks (`Chain.square_dyadic`). B P;
        B P P', with one more step in the permutation, as cosine transforms need; or
        B P B' P', as convolutions need.
    permutation : str, ndarray of n int, or a tuple of two
        Fixed: "identity", "bit-reversal", "makhoul" (even indices, then the odd ones
        backwards, then bit-reversed), or indices with ``A[:, permutation] ≈ B``; with
        "BPBP" one for both, or a tuple of P and P'.
        "search": all roundings of the relaxation of Dao et al. (eight; 64 with "BPP";
        with "BPBP" the same one of eight twice) are trained for an eighth of the
        steps, the better half (quarter, above eight) for twice as many, and so on.
        "learned": that relaxation itself, not with "BPBP"; logits that stay within ±2
        are rounded both ways and searched among.
    tied : bool
        One 2×2 block for each level and position in a block, as in the paper; else
        each block has its own.
    complex : bool or None
        Whether values are complex; a real target is then fitted by the real part.
        None: yes.
    learning_rate : float
        Step of Adam at the start; it falls to 0 as a cosine.
    n_iter : int
        Steps of a trial, at most.
    n_refine_iter : int
        Iterations of L-BFGS in float64 on the best trial.
    tol : float
        A trial stops at this RMSE.
    n_restarts : int
        Further random starts of each permutation, searched among in the same way.
    dtype : {"float32", "float64"}
        Of Adam; the operator has the precision of the target.
    random_state : None, int or numpy.random.Generator
        For the starts: random unitary blocks, rotations when real.
    callback : callable, optional
        Called with a `LearningState` after each step; returning True stops all.

    Returns
    -------
    LearnedButterfly

    Raises
    ------
    TypeError
        A target that is not numeric, options of the wrong type.
    ValueError
        A target that is not square, of an order that is no power of two, with NaN or
        infinity, or complex with ``complex=False``; an unknown name, an array that is
        no permutation, a number out of range. The message names the argument.

    Notes
    -----
    All errors an entry (RMSE: ‖A - Â‖_F / n), and `learning_rate` and `tol`, are for A scaled to
    ‖A‖_F = √n, as unitary matrices have it; the result tells those of A itself. In the
    paper success is an RMSE below 1e-4.

    A step costs O(n²): the levels are multiplied out from the first, whose blocks are
    small (:mod:`nbfact.kernels.dyadic_gradient`). It is O(n² log n) with "BPBP" and while a
    permutation is relaxed. On one thread, the same call gives the same bits.

    References
    ----------
    T. Dao, A. Gu, M. Eichhorn, A. Rudra, C. Ré, Learning fast algorithms for linear
    transforms using butterfly factorizations, ICML 2019.

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.learn_butterfly(nf.targets.dft(8), random_state=0)
    >>> bool(r.rmse < 1e-6), r.n_parameters
    (True, 56)
    """
    start = time.perf_counter()
    matrix = _checked_target(target)
    _check_options(
        model, tied, complex, learning_rate, tol, n_iter, n_refine_iter, n_restarts
    )
    if complex is False and matrix.dtype.kind == "c":
        raise ValueError(f"complex=False, but target is {matrix.dtype}")
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype}")
    if not isinstance(permutation, str) or permutation not in ("learned", "search"):
        permutation = tw.fixed(permutation, len(matrix), model)
    elif model == "BPBP" and permutation == "learned":
        raise ValueError("model 'BPBP' has no permutation='learned': use 'search'")
    scaled, scale = _scaled(matrix)
    descent = Descent(
        *(scaled, model, permutation, tied, 1 if complex is False else 2),
        *(dtype, learning_rate, n_iter, tol, callback, start),
    )
    if scale == 0:  # nothing to learn
        descent.n_iter = 1
    trial = descent.best(n_restarts + 1, np.random.default_rng(random_state))
    descent.refine(trial, n_refine_iter if scale else 0)
    return _result(matrix, trial, descent, scale)


def _result(matrix, trial, descent, scale):
    """Return the operator of the best parameters, and its errors."""
    found = trial.objective.twiddles(trial.best).astype(np.float64)
    scaled = tw.spread_scale(found, scale, descent.tied)
    dtype = matrix.dtype
    if descent.planes == 2:
        dtype = np.result_type(dtype, np.complex64)
    real = matrix.dtype.kind != "c" and descent.planes == 2
    permutations = trial.permutations
    operator = tw.operator(scaled, descent.tied, permutations, dtype, real)
    error = relative_error(matrix, operator)
    return LearnedButterfly(
        operator=operator,
        rmse=error * scale / math.sqrt(len(matrix)),
        relative_error=error,
        history=trial.history,
        permutation=permutations if len(permutations) > 1 else permutations[0],
        n_parameters=found.size,
        n_steps=descent.n_steps,
    )


def _checked_target(target):
    """Return a dense square matrix of an order that is a power of two."""
    matrix = checked_target(target, 1)
    m, n = matrix.shape
    if m != n or n < 2 or n & (n - 1):
        raise ValueError(
            f"target has shape {(m, n)}: a butterfly is square, of an order that is a "
            "power of two, at least 2"
        )
    return matrix


def _scaled(matrix):
    """Return the matrix scaled to norm √n in double precision, and its scale."""
    wide = matrix.astype(np.complex128 if matrix.dtype.kind == "c" else np.float64)
    largest = float(abs(wide).max())
    if largest == 0:
        return wide, 0.0
    wide /= largest
    rms = float(np.linalg.norm(wide)) / math.sqrt(len(wide))
    return wide / rms, largest * rms


def _check_options(
    model, tied, complex_, learning_rate, tol, n_iter, n_refine_iter, n_restarts
):
    """Refuse options that `learn_butterfly` does not have."""
    if model not in tw.MODELS:
        raise ValueError(f"model must be one of {tw.MODELS}, got {model!r}")
    for name, value, kinds in (
        ("tied", tied, (bool,)),
        ("complex", complex_, (bool, type(None))),
    ):
        if not isinstance(value, kinds):
            raise TypeError(f"{name} must be True or False, got {value!r}")
    for name, value in (("learning_rate", learning_rate), ("tol", tol)):
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"{name} must be a number, got {value!r}")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate must be positive, got {learning_rate!r}")
    if not tol >= 0:
        raise ValueError(f"tol must be at least 0, got {tol!r}")
    counts = (
        ("n_iter", n_iter, 1),
        ("n_refine_iter", n_refine_iter, 0),
        ("n_restarts", n_restarts, 0),
    )
    for name, value, least in counts:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"{name} must be an integer, got {value!r}")
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
