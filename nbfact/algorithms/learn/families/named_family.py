"""The family "named transforms": what has a name, such as "dct type 2"."""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ....operators import Butterfly, FactorProduct
from ....operators.cosines import dct, dst
from ....operators.fourier import dft, hartley, idft
from ....operators.haar import haar
from ....operators.hadamard import hadamard
from ....operators.kronecker_product import kronecker
from ....operators.radices import divisors
from ....operators.slant import slant
from ...common.problem import Problem
from ..starts import Start, measured
from .family import Family, FamilyTask
from .key_matching import by_keys, few_moduli
from .mirror_matching import by_mirrors
from .transform_matching import (
    TOLERANCE,
    Finder,
    Match,
    Places,
    balanced,
    by_columns,
    by_one_side,
    by_phases,
    by_signs,
    by_supports,
    matched,
    turned,
)

_LARGEST = 1024
"""Largest order for which names are tried: all their matrices are made."""

_LARGEST_PRODUCT = 128
"""Largest order for which Kronecker products of two of them are tried, because the
search for their permutations may take seconds above."""

_NEAR = 1e-3
"""Relative difference of two moments up to which they count as equal."""


class Named(NamedTuple):
    """A transform that has a name.

    Attributes
    ----------
    name : str
    make : callable
        Returns its operator, unitary, from the order; ValueError where there is none.
    finder : callable
        Finds its permutations.
    complex : bool
        Whether it is complex.
    """

    name: str
    make: Callable[[int], Any]
    finder: Finder
    complex: bool = False


def _typed(function, kind):
    """Return the function that makes a cosine or sine transform of one type."""
    return lambda n: function(n, kind)


def _inverse(function):
    """Return the function that makes the inverse of an orthonormal transform."""
    return lambda n: function(n).T


def _by_signs_or_keys(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield permutations for a Hadamard matrix, of Sylvester's kind or of another."""
    dyadic = len(matrix) & (len(matrix) - 1) == 0
    return (by_signs if dyadic else by_keys)(matrix, known)


NAMES = (
    Named("haar", haar, by_supports),
    Named("inverse haar", _inverse(haar), turned(by_supports)),
    Named("hadamard", hadamard, _by_signs_or_keys),
    *(
        Named(f"dct type {kind}", _typed(dct, kind), by_columns)
        for kind in (2, 3, 4, 1)
    ),
    *(
        Named(f"dst type {kind}", _typed(dst, kind), by_columns)
        for kind in (2, 3, 4, 1)
    ),
    Named("hartley", hartley, by_mirrors),
    Named("slant", slant, by_columns),
    Named("inverse slant", _inverse(slant), by_columns),
    Named("dft", dft, by_phases, complex=True),
    Named("inverse dft", idft, by_one_side, complex=True),
)
"""The transforms whose names are tried, in this order."""


def named(task: FamilyTask) -> Iterator[Start]:
    """Yield the transform that a matrix is, with permutations, signs and scalings."""
    problem = task.problem
    (m, n), matrix = problem.shape, problem.wide.array
    if m != n or n == 1 or n > _LARGEST or not _is_unitary(matrix):
        return
    kind = matrix.dtype.kind == "c" and bool(np.abs(matrix.imag).max() > 0)
    plain = [one for one in NAMES if one.complex == kind]
    found = _matches(task, plain)
    if not found and not kind:
        found = _matches(task, separable(matrix))
    if found:
        least = max(min(match.error for match, _, _ in found), task.exact)
        near = [three for three in found if three[0].error <= 2 * least]
        match, one, operator = min(near, key=lambda three: len(three[0].words))
        yield _start(problem, operator, match, one.name + match.words)


def _matches(task, transforms) -> list[tuple[Match, Named, Any]]:
    """Return which of some transforms a matrix is, and how, up to one that is exact."""
    matrix, found = task.problem.wide.array, list[tuple[Match, Named, Any]]()
    for one in transforms:
        if task.over():
            break
        try:
            operator = one.make(len(matrix))
        except ValueError:  # there is none of this order
            continue
        match = matched(matrix, operator.toarray(), one.finder)
        if match is not None:
            found.append((match, one, operator))
            if match.error <= task.exact and not match.words:
                break
    return found


def separable(matrix: np.ndarray) -> Iterator[Named]:
    """Yield the Kronecker products of two real transforms that a matrix may be.

    The moments of a product are the products of those of both.
    """
    n, balance = len(matrix), balanced(matrix)
    if n > _LARGEST_PRODUCT or balance is None or not few_moduli(balance[0]):
        return
    own, real = _moments(balance[0]), [one for one in NAMES if not one.complex]
    for k in divisors(n)[1:-1]:
        for left, right in itertools.product(real, repeat=2):
            both = _moments_of(left, k), _moments_of(right, n // k)
            if None in both:
                continue
            if np.allclose(np.multiply(*both), own, rtol=_NEAR):
                names = dict.fromkeys(one.name for one in (left, right))
                yield Named(
                    f"separable {' x '.join(names)}, {k} x {n // k}",
                    functools.partial(_product, left, right, k),
                    by_keys,
                )


def _product(left, right, k, n):
    """Return the operator of a separable transform of order n."""
    return kronecker(left.make(k), right.make(n // k))


@functools.cache
def _moments_of(one, n):
    """Return the moments of a transform of an order, None where there is none."""
    try:
        return _moments(one.make(n).toarray())
    except ValueError:
        return None


def _moments(matrix):
    """Return means of powers of the moduli, times powers of the order, and the largest.

    Those of a Kronecker product are the products of those of its two matrices.
    """
    sizes = np.abs(matrix) * np.sqrt(len(matrix))
    return (sizes**4).mean(), (sizes**3).mean(), sizes.max()


def _is_unitary(matrix):
    """Return whether a matrix is unitary, or near one, but for scalings."""
    balance = balanced(matrix)
    if balance is None:
        return False
    gram = balance[0] @ balance[0].conj().T - np.eye(len(matrix))
    return np.linalg.norm(gram) <= 4 * TOLERANCE * np.sqrt(len(matrix))


def _start(problem: Problem, operator: Any, match: Match, words: str) -> Start:
    """Return the factors of a transform as they match the target."""
    wide = problem.wide
    product = operator.to_factors()
    form = operator if isinstance(operator, Butterfly) else None
    places = [
        slice(None) if one is None else one for one in (match.rows, match.columns)
    ]
    if match.rows is not None or match.columns is not None:
        product = product[places[0]][:, places[1]]
        if form is not None:
            values, ends = form.values, (form.rows, form.columns)
            plain = Butterfly(form.chain, values, rows=ends[0], columns=ends[1])
            form = plain[places[0]][:, places[1]]
    left, right = match.left, match.right
    scale = left[0] * right[0]
    uniform = np.ptp(np.abs(left)) == 0 and np.ptp(np.abs(right)) == 0
    even = uniform and np.all(left == left[0]) and np.all(right == right[0])
    factors = list(product.factors)
    if even:
        factors[0] = factors[0] * (scale * product.scale)
        form = None if form is None else form * _unshifted(scale, problem)
    else:
        form = None
        factors[0] = sp.csr_array(factors[0].multiply((left * product.scale)[:, None]))
        factors[-1] = sp.csr_array(factors[-1].multiply(right[None, :]))
    factors[-1] = factors[-1] * 2.0**wide.exponent
    result = measured(
        problem, FactorProduct([one.astype(problem.dtype) for one in factors])
    )
    if form is not None:
        form = form.astype(problem.dtype)
    return Start.of("named transform", result, words, form=form)


def _unshifted(scale, problem):
    """Return a scale in the units of the target."""
    scale = scale * 2.0**problem.wide.exponent
    return scale if problem.dtype.kind == "c" else float(np.real(scale))


NAMED = Family("named transforms", once=named)
"""Transforms that have a name."""
