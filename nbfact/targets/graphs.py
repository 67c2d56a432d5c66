"""Graph Fourier transforms: eigenvectors of the Laplacians of random graphs."""

import numpy as np
import scipy.sparse

from .._core.checks import RandomState, choice, generator
from .._core.limits import dense_order


def graph_fourier(
    n: int, kind: str = "geometric", *, random_state: RandomState = None
) -> np.ndarray:
    """Return the eigenvectors of the Laplacian of a random connected graph.

    Parameters
    ----------
    n : int
        Number of vertices, at least 1.
    kind : {"geometric", "community"}
        Random model of the graph. "geometric": the vertices are uniform in the unit
        square, and two of them at distance d < r = 0.4 √(32 ln n / (n ln 32)) are
        joined by an edge of weight exp(-(2 d / r)²). "community": there are √n / 2
        groups of nearly equal sizes; two vertices are joined with probability 1/2 in
        the same group and 1/n otherwise, and weights are uniform between 1/2 and 3/2.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one. Graphs are drawn until one is
        connected.

    Returns
    -------
    ndarray of float64, shape (n, n)
        An orthogonal matrix whose columns are the eigenvectors, in the order of
        ascending eigenvalues (frequencies). It is the inverse graph Fourier transform,
        and its transpose the transform. In each column the first entry of largest
        modulus, up to one part in 10⁶, is positive. The random weights make repeated
        eigenvalues unlikely.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive, or the kind is another.

    Notes
    -----
    Making it costs O(n³), which takes hours for n = 16384.

    References
    ----------
    L. Le Magoarou, R. Gribonval, N. Tremblay, Approximate fast graph Fourier transforms
    via multi-layer sparse approximations, IEEE TSIPN 4(2), 2018.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> U = nf.targets.graph_fourier(16, "community", random_state=0)
    >>> bool(abs(U.T @ U - np.eye(16)).max() < 1e-13), bool((U[:, 0] > 0).all())
    (True, True)
    """
    n = dense_order("n", n)
    draws = {"geometric": _geometric, "community": _community}
    kind = choice("kind", kind, draws)
    rng = generator("random_state", random_state)
    while True:
        weights = draws[kind](n, rng)
        if scipy.sparse.csgraph.connected_components(weights)[0] == 1:
            break
    vectors = np.linalg.eigh(np.diag(weights.sum(1)) - weights)[1]
    modulus = abs(vectors)
    first = np.argmax(modulus >= modulus.max(axis=0) * (1 - 1e-6), axis=0)
    return vectors * np.sign(vectors[first, np.arange(n)])


def _geometric(n, rng):
    """Return the weights of a graph of random places in the unit square."""
    radius = 0.4 * np.sqrt(32 * np.log(max(n, 2)) / (n * np.log(32)))
    places = rng.random((n, 2))
    away = np.linalg.norm(places[:, None] - places, axis=-1)
    weights = np.where(away < radius, np.exp(-((2 * away / radius) ** 2)), 0.0)
    np.fill_diagonal(weights, 0.0)
    return weights


def _community(n, rng):
    """Return the weights of a graph with many edges in groups and few between them."""
    group = np.arange(n) * max(round(np.sqrt(n) / 2), 1) // n
    chance = np.where(group[:, None] == group, 0.5, 1 / n)
    weights = np.where(rng.random((n, n)) < chance, rng.uniform(0.5, 1.5, (n, n)), 0)
    upper = np.triu(weights, 1)
    return upper + upper.T
