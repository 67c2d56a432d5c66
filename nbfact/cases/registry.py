"""The registry of benchmark cases, which the command, the asv suite and the tests read.

A case is one implementation of one computation at one size. The cases of the same
computation share their inputs and form a task. One of them is the yardstick, which the
others are timed against: ``dense A @ X`` where there is a matrix to multiply by. Tasks
of palm4MSA have ``palm`` in their names.

To add a case:

1. Write a generator ``..._cases(...)`` in a module of this package, or extend one, that
   yields a :class:`nbfact.harness.case.Case` for each implementation. The attributes of
   `Case` say what it needs: how to make the inputs, how to prepare a call, the
   reference, and the largest error allowed.
2. Call the generator in ``_full`` below, with all sizes of interest, and in ``_pr``
   with one moderate size; ``_quick`` holds the few cases of ``nbfact bench --quick``.
3. Run ``python -m benchmarks.common``, which writes the new cases into
   ``benchmarks/points.json`` for asv, and ``nbfact bench -k NAME`` to see them.

The clock times one call that computes the whole result from the same x. Whether it
allocates its output depends on how users of that implementation would call it: the
dense product, SciPy's loop over sparse factors and the kernels of nbfact write into an
``out`` made beforehand; a kernel that works in place gets a fresh copy of x, and the
copying is timed too; objects with ``@``, of nbfact, SciPy or rivals, allocate what they
return. Building matrices and factors, compilation, and the comparison with the
reference are not timed.
"""

from collections.abc import Iterable
from dataclasses import replace

from ..harness.case import DENSE, Case, leave_out, tasks
from .approximate_products import approximation_cases
from .assignment import assignment_cases
from .butterflies import factorize_cases, learning_cases
from .clustering import clustering_cases
from .dictionary_learning import dictionary_cases
from .grid_cases import OUT, own_cells
from .grid_samples import ALWAYS, CALLED, FORMER
from .hadamard_transform import fwht_cases
from .learned_supports import pattern_cases, permuted_chain_cases
from .palm import (
    curve_cases,
    hierarchical_cases,
    reach_cases,
    rectmat_cases,
    shape_cases,
    sweep_cases,
)
from .palm_problems import REACHES, SHAPES
from .plans import adjoint_plan_cases, permuted_cases, plan_cases
from .products import BUTTERFLY, MATVEC, MERGED, product_cases
from .projections import projection_cases, skperm_cases
from .public_verbs import adjoint_cases, verb_cases, way_cases
from .rivals.peers import is_peer
from .set_projections import set_cases
from .sparse_codes import coding_cases
from .sparse_factors import block_factor_cases, new_product_cases, sparse_factor_cases
from .sum_of_butterflies import sum_cases
from .transform_plans import CHOSEN, REALS, SCIPY, TRANSFORMS, transform_plan_cases

PLANNED = [
    *((name, n) for name in ("dyadic", "rank 2") for n in (256, 1024, 4096)),
    ("smallest", 1000),
    *(("monarch", n) for n in (1024, 4096)),
    *((name, 1024) for name in ("four blocks", "strided blocks", "B B^T")),
]
"""Chains whose plans are compared, as (name of the chain, order)."""

SPARSE = ((1, 2), (1, 16), (2, 32), (4, 4))
"""Random sparse factors, as (number of factors, entries in each row)."""

FUSED = "nbfact fused by 2"
"""A plan that is not chosen for vectors, but for columns."""

TRANSFORMED = (64, 256, 1024, 4096, 16384, 360, 1000, 1009)
"""Orders of the transforms whose ways are compared: powers of two, other products of
small primes, and a prime."""

CURVED = [
    ("planted splin4", 64, (1, 2, 5, 10, 20, 50, 100, 200)),
    ("splin5*normcol", 32, (1, 2, 5, 10, 20, 50, 100, 200)),
    ("hadamard split", 64, (1, 2, 5, 10, 20)),
]
"""Problems whose error is measured after more and more sweeps, as (name of the problem,
columns, numbers of sweeps)."""

APPROXIMATED = [
    (name, n)
    for n in (256, 1024)
    for name in ("dct", "legendre", "hilbert", "leadfield", "gaussian")
]
"""Targets that are approximated, as (name of the target, columns)."""

ASSIGNED = [
    *((n, n, 4096) for n in (64, 128, 256, 512, 1024)),
    *((128, d, 4096) for d in (784, 2000)),
]
"""Sizes of the assignment of points to centres, as (centres, columns, points)."""

CLUSTERED = [(256, 256, 5000), (1024, 1024, 20000)]
"""Sizes of the clustering of points, as (centers, columns, points)."""


def registry(
    profile: str = "full", peers: bool = False, turn: int | None = None
) -> list[Case]:
    """Return the cases of a profile.

    Parameters
    ----------
    profile : {"quick", "pr", "nightly", "full"}
        ``quick`` has the few cases of ``nbfact bench --quick``, which show that nbfact
        works and is fast. ``pr`` has the main kernels and algorithms, at one moderate
        size, for what is run on every change: the asv suite, ``nbfact compare`` and
        ``nbfact gate``. ``nightly`` has in addition the cases of every turn, and large
        sizes. ``full`` has the grids that show where nbfact is faster than others.
    peers : bool
        Whether to include the peers that are installed, the rivals of the extra
        ``peers``. Cases of NumPy and SciPy are always included.
    turn : int, optional
        With it, ``pr`` has one dtype and one number of columns more for each product
        and projection, and a case of every verb. ``nbfact compare`` and ``gate`` give a
        number that changes with the commit, so that all of :data:`TURNS` come round.

    Returns
    -------
    list of Case
        The cases. Their inputs are not built yet, and nothing is compiled or imported
        for them.

    Raises
    ------
    ValueError
        For an unknown profile.

    Examples
    --------
    >>> names = [case.name for case in registry("quick")]
    >>> len(names) == len(set(names))
    True
    """
    if profile not in _PROFILES:
        raise ValueError(f"profile {profile!r}; expected one of {', '.join(PROFILES)}")
    found = _PROFILES[profile]()
    if profile == "pr" and turn is not None:
        found = _distinct([*found, *_rotating(*TURNS[turn % len(TURNS)])])
    return found if peers else without_peers(found)


def _quick():
    single, sizes, batches = ("float32",), (256, 1024), (1, 64)
    projections = projection_cases((256,), ("float64",))
    return [
        *product_cases("hadamard", sizes, single, batches),
        *fwht_cases((256, 4096), single, (1, 16)),
        *product_cases("butterfly", sizes, single, batches),
        *product_cases("dft", (1024,), ("complex64",), batches[:1]),
        *product_cases("planted", (1024,), single, batches),
        *(case for case in projections if case.group != "project_skperm"),
        *sweep_cases((32, 64), (2, 3)),
        *shape_cases(SHAPES[:1]),
        *hierarchical_cases((64,)),
        *rectmat_cases([(48, 512, 3, 5, 4)]),
        *reach_cases(("butterflies 32", "splin5*normcol")),
        *curve_cases([("planted splin4", 32, (1, 5, 20, 100))]),
        *factorize_cases(("hadamard", "gaussian", "noisy"), (64,)),
    ]


def _pr():
    single, batches = ("float32",), (1, 64)
    planned = [("rank 2", 256), ("four blocks", 1024), ("strided blocks", 1024)]
    plans = plan_cases(planned, single, (1, 16))
    primes = transform_plan_cases(("dct",), (729, 1009), single, (1,))
    few = product_cases("butterfly", (1024,), ("float64", "complex64"), (2, 4))
    found = [
        *product_cases("hadamard", (1024,), single, batches),
        *fwht_cases((4096,), ("float64",), (1, 16)),
        *product_cases("butterfly", (1024,), single, batches),
        *product_cases("butterfly", (1024,), ("complex64",), batches[1:]),
        # Few columns fill a part of a register, and had two or six times the time.
        *(case for case in few if case.impl in (BUTTERFLY, DENSE)),
        # Rows cost up to seven times as much as columns, and ``out=`` more than none.
        *(case for case in own_cells(ALWAYS, "float32") if case.impl in (OUT, DENSE)),
        *(case for case in plans if case.impl == case.yardstick),
        *product_cases("dft", (1024,), ("complex64",), batches[:1]),
        *product_cases("dct", (1024,), single, batches[1:]),
        *(case for case in primes if case.impl in (SCIPY, CHOSEN)),
        *product_cases("planted", (1024,), single, batches),
        *sparse_factor_cases((1024,), ((2, 32),), single, (1,), ("forward",)),
        *sparse_factor_cases((1024,), ((2, 32),), single, (64,), ("adjoint",)),
        # A call took half of the time, and slices of uneven rows a third.
        *sparse_factor_cases((256,), ((1, 4),), single, (1,), ("adjoint",)),
        *block_factor_cases((256,), ((2, 32),), ("float64",)),
        *new_product_cases((32,), ((5, 2),), ("float64",)),
        *projection_cases((256,), ("float64",)),
        *sweep_cases((64,), (2, 3)),
        *shape_cases(SHAPES[-1:]),
        *hierarchical_cases((64,)),
        *rectmat_cases([(48, 512, 3, 5, 4)]),
        *reach_cases(("butterflies 32",)),
        *factorize_cases(("hadamard", "gaussian"), (256,)),
        # Noise took the long way; the sums of a tall target left no registers.
        *factorize_cases(("noisy",), (64,)),
        *shape_cases(SHAPES[2:3], defaults=True),
        *learning_cases(("hadamard",), (16,)),
        *_own(assignment_cases([(512, 512, 1024)], single))[:1],  # dense ones rotate
    ]
    # The asv suite needs no second and third product of SciPy.
    return [case for case in found if case.impl not in (MATVEC, MERGED)]


def _rotating(dtype, batch):
    """Return the cases of ``pr`` in a dtype and a number of columns that rotate."""
    real = "float64" if dtype in ("float64", "complex128") else "float32"
    transform = "dct" if dtype == real else "dft"
    chains = [("rank 2", 1024), ("monarch", 4096), ("monarch", 256)]
    plans = [
        case
        for case in plan_cases(chains, (dtype,), (batch,))
        if case.impl in (case.yardstick, FUSED)
    ]
    # Real numbers were converted, and took up to five times as long as scipy.fft.
    reals = transform_plan_cases(REALS, (512,), (real,), (batch,))
    found = [
        *(case for case in reals if case.impl in (SCIPY, CHOSEN)),
        *product_cases("butterfly", (2048,), (dtype,), (batch,)),
        *product_cases("planted", (2048,), (dtype,), (batch,)),
        *product_cases(transform, (2048,), (dtype,), (batch,)),
        *plans,
        *adjoint_cases(("butterfly", "planted"), 1024, dtype, batch),
        *way_cases(1024, dtype, batch),
        *adjoint_cases(("dct",), 1024, real, 64 if batch > 1 else 1),
        *adjoint_plan_cases([("rank 2", 1024)], (dtype,), (batch,)),
        *permuted_cases([("dyadic", 1024)], (dtype,), (batch,)),
        *fwht_cases((2048,), (real,), (batch,)),
        *projection_cases((128,), (dtype,)),
        *set_cases(64, dtype),
        *factorize_cases(("hadamard", "gaussian"), (64,), (real,)),
        *own_cells(CALLED[:6] if batch == 1 else CALLED[6:], dtype),
        *assignment_cases([(64, 64, 1024)], (real,)),
        *sum_cases(64, 512, real),
        # Its sides are large enough for norms through the factors.
        *reach_cases(("butterflies 128",)),
        *pattern_cases((16,)),
        *(  # the objective takes five iterations, so that one factorizer is enough
            case
            for case in clustering_cases([(16, 16, 500)])
            if (case.group, case.impl) != ("clustering objective", "nbfact explore")
        ),
        *verb_cases(16),
        *coding_cases((256,), (64,), 4),
        *dictionary_cases((64,), 500, 3),
    ]
    return _own(found)


def _nightly():
    found = _pr()
    for dtype, batch in TURNS:
        found += _rotating(dtype, batch) + _large(dtype, batch)
    names = ("dft", *REALS, "dct", "dct 3")
    found += transform_plan_cases(names, (1000,), ("float32", "float64"), (1, 64))
    return _distinct([*found, *_large_verbs()])


def _large(dtype, batch):
    """Return the cases of products and projections of large order."""
    plans = plan_cases([("dyadic", 4096), ("four blocks", 3072)], (dtype,), (batch,))
    found = [
        *product_cases("butterfly", (8192,), (dtype,), (batch,)),
        *product_cases("butterfly", (16384,), (dtype,), (64,)),  # beyond the caches
        *adjoint_cases(("butterfly", "planted"), 512, dtype, 20000),  # and far beyond
        *product_cases("planted", (8192,), (dtype,), (batch,)),
        *(case for case in plans if case.impl == case.yardstick),
        *adjoint_plan_cases([("far blocks", 2048)], (dtype,), (128,)),
        *adjoint_cases(("butterfly", "planted"), 8192, dtype, batch),
        *projection_cases((1024,), (dtype,)),
        *(own_cells(FORMER, dtype) if batch == 1 else ()),
    ]
    return _own(found)


def _large_verbs():
    """Return the cases of algorithms on large matrices."""
    found = [
        *hierarchical_cases((256,)),
        *sweep_cases((256,), (3,)),
        *factorize_cases(("hadamard", "dft", "gaussian"), (1024,)),
        *learning_cases(("hadamard",), (64,)),
        *pattern_cases((32,)),
        *permuted_chain_cases(("3 x 3 x 2 x 2",)),
        *assignment_cases([(512, 512, 4096)], ("float32", "float64")),
        *clustering_cases([(64, 64, 1000)]),
        *verb_cases(32),
        *coding_cases((1024,), (512,), 8),
        *dictionary_cases((256,), 5000, 4),
    ]
    return _own(found)


def _own(cases):
    """Return our own cases alone, because the dense matrices of others are large.

    Where the yardstick is not among them, the first one of the task becomes it.
    """
    found = []
    for task in tasks(cases).values():
        ours = [case for case in task if case.impl.startswith("nbfact")]
        names = [case.impl for case in ours]
        for case in ours:
            if case.yardstick not in names:
                case = replace(case, yardstick=names[0], fallbacks=())
            found.append(case)
    return found


def _distinct(cases):
    """Return some cases without those whose name has occurred before."""
    return list({case.name: case for case in reversed(cases)}.values())[::-1]


def _full():
    reals, complexes = ("float32", "float64"), ("complex64", "complex128")
    sizes, batches = (256, 512, 1024, 2048, 4096, 8192), (1, 16, 64, 256)
    return [
        *product_cases("hadamard", sizes, reals, batches),
        *fwht_cases([4**k for k in range(3, 11)], reals, (1, 16, 256)),
        *product_cases("butterfly", sizes, (*reals, "complex64"), batches),
        *plan_cases(PLANNED, (*reals, "complex64"), (1, 16, 256)),
        *transform_plan_cases(list(TRANSFORMS), TRANSFORMED, reals, (1, 64)),
        *product_cases("dft", sizes, complexes, batches),
        *product_cases("dct", sizes[::2], reals, batches),
        *product_cases("planted", sizes[::2], reals, batches),
        *coding_cases((256, 1024, 4096), (1, 512), 4),
        *dictionary_cases((64, 256), 5000, 4),
        *sparse_factor_cases(
            (256, 1024, 4096), SPARSE, (*reals, "complex64"), (1, 4, 16, 64, 256)
        ),
        *projection_cases((64, 256, 1024), (*reals, "complex128")),
        *skperm_cases((256,)),
        *sweep_cases((32, 64, 128, 256), (2, 3, 5)),
        *shape_cases(SHAPES),
        *shape_cases(SHAPES[2:3], defaults=True),
        *hierarchical_cases((64, 128, 256, 512)),
        *rectmat_cases(
            [(48, 512, 3, 5, 4), (48, 512, 4, 10, 8), (204, 8193, 4, 10, 8)]
        ),
        *reach_cases(list(REACHES)),
        *curve_cases(CURVED),
        *approximation_cases(APPROXIMATED, (1, 64)),
        *factorize_cases(
            ("hadamard", "dft", "gaussian", "noisy"), (64, 128, 256, 512, 1024, 2048)
        ),
        *learning_cases(("hadamard", "dft"), (16, 64, 256)),
        *pattern_cases((16, 32)),
        *permuted_chain_cases(),
        *assignment_cases(ASSIGNED, reals),
        *clustering_cases(CLUSTERED),
    ]


_PROFILES = {"quick": _quick, "pr": _pr, "nightly": _nightly, "full": _full}
PROFILES = tuple(_PROFILES)
"""Names of the profiles, from the one with the fewest cases to the one with all."""


TURNS = tuple(
    (dtype, batch)
    for batch in (1, 16)
    for dtype in ("float32", "complex128", "float64", "complex64")
)
"""What rotates in ``pr``: dtypes and numbers of columns."""


def without_peers(cases: Iterable[Case]) -> list[Case]:
    """Return the cases that need no package of the extra ``peers``, ordered by task.

    Where the yardstick of a task is a peer, another case becomes the yardstick.

    Parameters
    ----------
    cases : iterable of Case
        Cases to choose among.

    Returns
    -------
    list of Case

    Examples
    --------
    >>> found = without_peers(registry("quick", peers=True))
    >>> any(is_peer(case.impl) for case in found)
    False
    """
    found = []
    for task in tasks(cases).values():
        found += leave_out(task, [case.impl for case in task if is_peer(case.impl)])
    return found
