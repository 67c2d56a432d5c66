"""learn_butterfly: gradient descent on the values of a butterfly (Dao et al. 2019)."""

import math
import time
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from ..._core.checks import RandomState, dtype_of
from ..._core.streams import stream
from ...metrics import relative_error
from ..common.problem import problem_of
from ..common.result import Callback
from .descent_options import DescentModel, DescentOptions
from .descent_result import LearnedButterfly
from .permutation_choices import PermutationChoice, Permutations, fixed_permutations
from .trials import DescentSearch, DescentTrial
from .twiddles import spread_scale, twiddle_operator


def learn_butterfly(
    target: Any,
    model: DescentModel = "BP",
    *,
    permutation: PermutationChoice = "search",
    tied: bool = True,
    complex: bool | None = None,
    learning_rate: float = 0.1,
    n_iter: int = 2000,
    n_refine_iter: int = 20,
    tol: float = 1e-5,
    n_restarts: int = 0,
    dtype: Any = "float32",
    random_state: RandomState = None,
    callback: Callback | None = None,
) -> LearnedButterfly:
    """Fit the values of a butterfly to a matrix by gradient descent.

    Minimises ‖A - B P‖² over the values of B and, where it is not given, over a few
    permutations P.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (n, n)
        The matrix A, real or complex, finite; n is a power of two, at least 2. Sparse
        matrices and operators are made dense.
    model : {"BP", "BPP", "BPBP"}
        B is a product of log2(n) factors of 2×2 blocks (`Chain.square_dyadic`). "BP" is
        B P. "BPP" is B P P', with one more step in the permutation, which cosine
        transforms need. "BPBP" is B P B' P', which convolutions need.
    permutation : str, ndarray of n int, or a tuple of two
        A fixed permutation: "identity", "bit-reversal", "makhoul" (the even indices,
        then the odd ones backwards, then bit-reversed), or indices with
        ``A[:, permutation] ≈ B``; with "BPBP" one for both, or a tuple of P and P'.
        "search": all roundings of the relaxation of Dao et al. (eight; 64 with "BPP";
        with "BPBP" one of eight, twice) are trained for an eighth of the steps, the
        better half of them (the best quarter, if they are more than eight) for twice as
        many, and so on.
        "learned": that relaxation itself is trained, not with "BPBP". As in the runs of
        the paper's code (``share_logit`` is True), blocks of all sizes share the three
        logits. Logits that stay within ±2 are rounded both ways, and the roundings
        searched among.
    tied : bool
        Whether one 2×2 block is used for each level and position in a block, as in the
        paper; otherwise each block has its own.
    complex : bool or None
        Whether the values are complex, in which case a real target is fitted by the
        real part. None means True.
    learning_rate : float
        Step of Adam at the start; it falls to 0 like a cosine.
    n_iter : int
        Maximum number of steps of a trial, at least 1.
    n_refine_iter : int
        Maximum number of iterations of L-BFGS, in float64, on the best trial.
    tol : float
        A trial stops when its RMSE is at most this.
    n_restarts : int
        Number of further random starts of each permutation after the first one: 0 means
        one start. All starts are searched among in the same way.
    dtype : {"float32", "float64"}
        Precision of Adam; the operator has the precision of the target.
    random_state : None, int, numpy.random.Generator or RandomState
        Draws the starts: random unitary blocks, which are rotations if real.
    callback : callable, optional
        Called with a `CallbackState` after each step; returning True stops all trials.

    Returns
    -------
    LearnedButterfly
        The operator, its errors, the permutation, and the history of the best trial.

    Raises
    ------
    TypeError
        If the target is not numeric, or an option has the wrong type.
    ValueError
        If the target is not square, its order is no power of two, it contains NaN or
        infinity, or it is complex with ``complex=False``; if a name is unknown, an
        array is no permutation, or a number is out of range. The message names the
        argument.

    See Also
    --------
    butterfly_factorize : the factors in closed form, if the permutation is known.
    identify_butterfly : finds any permutations of the rows and the columns.

    Notes
    -----
    All errors of an entry (RMSE: ‖A - Â‖_F / n), and with them `learning_rate` and
    `tol`, are for A scaled to ‖A‖_F = √n, the norm of unitary matrices; the result has
    the errors of A itself. In the paper a trial succeeds if its RMSE is below 1e-4.

    A step costs O(n²), because the levels are multiplied out from the first one, whose
    blocks are small (:mod:`nbfact.kernels.dyadic_gradient`). It costs O(n² log n) with
    "BPBP" and while a permutation is relaxed. On one thread, the same call gives the
    same bits.

    References
    ----------
    T. Dao, A. Gu, M. Eichhorn, A. Rudra, C. Ré, Learning fast algorithms for linear
    transforms using butterfly factorizations, ICML 2019, PMLR 97:1517–1527
    [dao2019]. The descent is Adam by D. P. Kingma and J. Ba [kingma2015].

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.learn_butterfly(nf.targets.dft(8), random_state=0)
    >>> bool(r.rmse < 1e-6), r.n_parameters
    (True, 56)
    """
    began = time.perf_counter()
    matrix = _checked_square(target)
    options = DescentOptions(
        model=model,
        tied=tied,
        complex=complex,
        learning_rate=learning_rate,
        n_iter=n_iter,
        n_refine_iter=n_refine_iter,
        tol=tol,
        n_restarts=n_restarts,
        dtype=dtype_of(dtype, "f"),
        callback=callback,
    )
    rng = stream("random_state", random_state, "learn_butterfly")
    if options.planes == 1 and matrix.dtype.kind == "c":
        raise ValueError(f"complex=False, but target is {matrix.dtype}")
    chosen = _chosen_permutation(permutation, len(matrix), model)
    scaled, scale = _scaled(matrix)
    if scale == 0:  # there is nothing to learn
        options = replace(options, n_iter=1, n_refine_iter=0)
    search = DescentSearch(scaled, chosen, options, began, scale)
    trial = search.best(rng)
    search.refine(trial)
    return _result(matrix, trial, search, scale)


def _chosen_permutation(
    permutation: PermutationChoice, n: int, model: DescentModel
) -> Literal["search", "learned"] | Permutations:
    """Return how the permutation is found, or the fixed permutations, checked."""
    if not isinstance(permutation, str) or permutation not in ("learned", "search"):
        return fixed_permutations(permutation, n, model)
    if permutation == "search":
        return "search"
    if model == "BPBP":
        raise ValueError("model 'BPBP' has no permutation='learned': use 'search'")
    return "learned"


def _result(
    matrix: np.ndarray, trial: DescentTrial, search: DescentSearch, scale: float
) -> LearnedButterfly:
    """Return the operator of the best parameters, and its errors."""
    found = trial.objective.twiddles(trial.best).astype(np.float64)
    planes, tied = search.options.planes, search.options.tied
    scaled = spread_scale(found, scale, tied)
    dtype = matrix.dtype
    if planes == 2:
        dtype = np.result_type(dtype, np.complex64)
    real = matrix.dtype.kind != "c" and planes == 2
    permutations = trial.permutations
    operator = twiddle_operator(scaled, tied, permutations, dtype, real)
    error = relative_error(matrix, operator)
    return LearnedButterfly(
        operator=operator,
        target=matrix,
        rmse=error * scale / math.sqrt(len(matrix)),
        relative_error=error,
        history=trial.history,
        permutation=permutations if len(permutations) > 1 else permutations[0],
        n_parameters=found.size,
        n_steps=search.n_steps,
    )


def _checked_square(target: Any) -> np.ndarray:
    """Return a dense square matrix whose order is a power of two, or raise."""
    matrix = problem_of(target).array
    m, n = matrix.shape
    if m != n or n < 2 or n & (n - 1):
        raise ValueError(
            f"target has shape {(m, n)}: a butterfly is square, of an order that is a "
            "power of two, at least 2"
        )
    return matrix


def _scaled(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the matrix scaled to norm √n in double precision, and its scale."""
    wide = matrix.astype(np.complex128 if matrix.dtype.kind == "c" else np.float64)
    largest = float(np.max(np.abs(wide)))
    if largest == 0:
        return wide, 0.0
    wide /= largest
    rms = float(np.linalg.norm(wide)) / math.sqrt(len(wide))
    return wide / rms, largest * rms
