"""palm4MSA: proximal alternating linearised minimisation for multi-layer sparsity."""

from collections.abc import Sequence

from ..._core.checks import RandomState, sequence
from ..._core.streams import stream
from ...constraints import Constraint
from ..common.problem import TargetLike, problem_of
from ..common.result import Callback, Factorization
from .initial_factors import Init, checked_start
from .iterations import SweepRecord, palm4msa_problem
from .sweep_options import (
    Keep,
    Order,
    Scaling,
    SweepOptions,
    checked_fixed,
    order_for,
)


def palm4msa(
    target: TargetLike,
    constraints: Sequence[Constraint],
    *,
    n_iter: int = 200,
    tol: float = 0.0,
    init: Init = None,
    order: Order | None = None,
    callback: Callback | None = None,
    scaling: Scaling = "balanced",
    step: float = 1.0,
    keep: Keep = "last",
    fixed: Sequence[int] = (),
    random_state: RandomState = None,
) -> Factorization:
    """Factor a matrix into a product of sparse factors, each in its own set.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite. Integers are read as float64. A sparse
        matrix or an operator is made dense when it has one factor or at most 2**22
        entries; of a larger one only products with at most max(p) vectors are used,
        where p are the inner dimensions. Gradients are dense in any case, of the shape
        of a factor.
    constraints : sequence of J constraints
        The set of each factor, left to right: objects with `shape` and `project(x)`,
        such as `nbfact.constraints.SpLin`. Their shapes must chain from m to n.
    n_iter : int, default 200
        Maximum number of sweeps. A sweep updates every factor once.
    tol : float, default 0.0
        Stop when a sweep changes the relative error by at most `tol` times the error
        before it. Whatever `tol` is, the sweeps end once the relative error is at most
        2 J eps, where eps is the precision of the dtype of A: what is left then is
        rounding.
    init : Factorization, FastOperator, Chain, J arrays, or "random", optional
        Factors to start from, with their scale (1 for arrays): any result or operator
        of nbfact that is a product of J sparse factors, or the supports of a chain,
        filled with ones. "random": Gaussian matrices, projected onto the sets. By
        default the factor that is updated first is zero and all others are identities.
    order : {"right-to-left", "left-to-right"}, optional
        The order in which a sweep updates the factors. By default it begins on the
        longer side of the target: from left to right where that has more rows than
        columns, else from right to left. The first update then reaches all of the
        target, through identities that lose nothing.
    callback : callable, optional
        Called with a `CallbackState` after each sweep; returning True stops.
    scaling : {"balanced", "factor", "sweep"}
        How the scale λ is treated. "sweep", as in the paper: the factors have the norms
        that their sets ask for, and λ is fitted after each sweep. "factor": λ is fitted
        after each factor too. "balanced": factors whose sets have the option
        `normalized` are left free to grow or shrink, λ stays 1, and the norms of these
        factors are made equal after each sweep; they are normalised at the end.
    step : float, default 1.0
        Length of the gradient steps, above 0 and below 2, in units of the longest step
        that is known never to increase the objective. Longer steps often end lower.
    keep : {"last", "best"}
        Which iterate is returned: that of the last sweep, or the one with the smallest
        error. The history is that of all sweeps.
    fixed : sequence of int
        Indices of the factors of `init` that do not change. They need not be in their
        sets.
    random_state : None, int, numpy.random.Generator or RandomState
        The seed of ``init="random"``.

    Returns
    -------
    Factorization
        J factors in the dtype of the target. For a zero target the factors are zero,
        and so are the scale and the error.

    Raises
    ------
    TypeError
        A target that is not numeric, a constraint without `shape` or `project`, an
        option of another type.
    ValueError
        NaN, infinity, shapes that do not chain, no constraint, an option out of range,
        a projection that returns another shape, NaN or infinity.

    See Also
    --------
    hierarchical : Peels off one factor at a time, which finds more factors.
    explore : Sweeps with a leak, which leave bad supports.
    refine : The best values on the supports that were found.

    Notes
    -----
    palm4MSA minimises ½‖A - λ S[0] ... S[J-1]‖² over S[j] in their sets and λ real. For
    each factor S in turn, with L and R the products on its left and right, P the
    projection onto its set and c the modulus of the gradient,

        S ← P(S - (λ / c) Lᴴ(λ L S R - A)Rᴴ),  c = 1.001 λ² ‖L‖² ‖R‖² / step;

    then, once a sweep, λ = Re<A, Â> / ‖Â‖² with Â = S[0] ... S[J-1]. The objective does
    not increase where all projections are true ones (that of `SpLinCol` is not),
    `scaling` is "sweep" or "factor", and `step` is at most 1.

    Cost of a sweep: the update of a (p, q) factor costs 2 nnz(L) q + nnz(S) (m + 2 q)
    multiplications, where nnz counts non-zeros, and one projection. Memory: a few
    (p, q) arrays beside the target and the factors. On one thread, the same call gives
    the same bits.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: figure 4 (palm4MSA)
    [lemagoarou2016].
    J. Bolte, S. Sabach and M. Teboulle, Proximal alternating linearized minimization
    for nonconvex and nonsmooth problems, Math. Program. 146, 2014 [bolte2014].

    Examples
    --------
    >>> import nbfact as nf
    >>> A = nf.targets.hadamard(4)
    >>> sets = [nf.constraints.SkPerm((4, 4), 2), nf.constraints.SkPerm((4, 4), 2)]
    >>> r = nf.palm4msa(A, sets, n_iter=30)
    >>> r.operator.nnz, bool(r.relative_error < 1e-12)
    (16, True)
    """
    record = SweepRecord()
    constraints = sequence("constraints", constraints, "constraints", least=1)
    problem = problem_of(target, len(constraints))
    options = SweepOptions(
        n_iter=n_iter,
        tol=tol,
        order=order_for(order, problem.shape),
        scaling=scaling,
        step=step,
        keep=keep,
        fixed=checked_fixed(fixed, len(constraints)),
        callback=callback,
    )
    if options.fixed and (init is None or isinstance(init, str)):
        raise ValueError(f"fixed={options.fixed} needs init, the factors that are kept")
    rng = None
    if random_state is not None:  # a wrong one is refused where none is needed, too
        rng = stream("random_state", random_state, "palm4msa")
    start = checked_start(problem, constraints, init, options, rng)
    return palm4msa_problem(problem, start, options, record)
