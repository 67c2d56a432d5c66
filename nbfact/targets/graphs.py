"""Graph Fourier transforms: eigenvectors of the Laplacians of random graphs."""

import numpy as np
import scipy.sparse

from .._core.checks import RandomState, size


def graph_fourier(
    n: int, kind: str = "geometric", *, random_state: RandomState = None
) -> np.ndarray:
    """Return the eigenvectors of the Laplacian of a random connected graph.

    Parameters
    ----------
    n : int
        Number of vertices, at least 1.
    kind : {"geometric", "community"}
        "geometric": places uniform in the unit square, joined when closer than
        r = 0.4 √(32 ln n / (n ln 32)), with weight exp(-(2 d / r)²). "community":
        √n / 2 groups of like sizes; two of a group are joined with probability 1/2,
        others with 1/n, with weights uniform between 1/2 and 3/2.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one. Graphs are drawn until one is
        connected.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Orthogonal, one eigenvector a column, frequencies ascending: the inverse
        transform, its transpose is the transform. Of each column the first entry of
        largest modulus, up to one part in 10⁶, is positive; weights are such that
        eigenvalues do not repeat.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive, or the kind is another.

    References
    ----------
    L. Le Magoarou, R. Gribonval, N. Tremblay, Approximate fast graph Fourier transforms
    via multi-layer sparse approximations, IEEE TSIPN 4(2), 2018.

    Examples
    --------
    >>> U = graph_fourier(16, "community", random_state=0)
    >>> bool(abs(U.T @ U - np.eye(16)).max() < 1e-13), bool((U[:, 0] > 0).all())
    (True, True)
    """
    n = size("n", n)
    draws = {"geometric": _geometric, "community": _community}
    if kind not in draws:
        raise ValueError(f"kind={kind!r}: expected one of {tuple(draws)}")
    rng = np.random.default_rng(random_state)
    while True:
        weights = draws[kind](n, rng)
        if scipy.sparse.csgraph.connected_components(weights)[0] == 1:
            break
    vectors = np.linalg.eigh(np.diag(weights.sum(1)) - weights)[1]
    modulus = abs(vectors)
    first = np.argmax(modulus >= modulus.max(axis=0) * (1 - 1e-6), axis=0)
    return vectors * np.sign(vectors[first, np.arange(n)])


def _geometric(n, rng):
    """Return weights that fall with the distance, none beyond a radius."""
    radius = 0.4 * np.sqrt(32 * np.log(max(n, 2)) / (n * np.log(32)))
    places = rng.random((n, 2))
    away = np.linalg.norm(places[:, None] - places, axis=-1)
    weights = np.where(away < radius, np.exp(-((2 * away / radius) ** 2)), 0.0)
    np.fill_diagonal(weights, 0.0)
    return weights


def _community(n, rng):
    """Return random weights, many within groups and few between them."""
    group = np.arange(n) * max(round(np.sqrt(n) / 2), 1) // n
    chance = np.where(group[:, None] == group, 0.5, 1 / n)
    weights = np.where(rng.random((n, n)) < chance, rng.uniform(0.5, 1.5, (n, n)), 0)
    upper = np.triu(weights, 1)
    return upper + upper.T
