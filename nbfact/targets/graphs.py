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
    kind : str
        Random model of the graph. "geometric": the vertices are uniform in the unit
        square, and two of them at distance d < r = 0.4 √(32 ln n / (n ln 32)) are
        joined by an edge of weight exp(-(2 d / r)²). In all other models weights are
        uniform between 1/2 and 3/2. "community": there are √n / 2 groups of nearly
        equal sizes; two vertices are joined with probability 1/2 in the same group and
        1/n otherwise. "random": any two are joined with probability 2 ln n / n. "scale
        free": each vertex after the first is joined to two earlier ones, or to the only
        one, drawn in proportion to their numbers of edges. "small world": a ring, each
        vertex joined to the two next ones, and a tenth of the edges end elsewhere.
        "grid": the vertices of a rectangle that is nearly square, joined to their
        neighbours. "path": each vertex is joined to the next one.
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

    See Also
    --------
    wavelet_packet : Another orthogonal basis without a name.

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
    kind = choice("kind", kind, _MODELS)
    rng = generator("random_state", random_state)
    while True:
        weights = _MODELS[kind](n, rng)
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
    return _weighted(rng.random((n, n)) < chance, rng)


def _random(n, rng):
    """Return the weights of a graph whose edges are all equally likely."""
    return _weighted(rng.random((n, n)) < 2 * np.log(max(n, 2)) / n, rng)


def _scale_free(n, rng):
    """Return the weights of a graph in which vertices with many edges get more."""
    joined = np.zeros((n, n), bool)
    edges = np.zeros(n)
    for vertex in range(1, n):
        chance = edges[:vertex] / edges[:vertex].sum() if vertex > 1 else None
        count = min(vertex, 2)
        others = rng.choice(vertex, count, replace=False, p=chance)
        joined[others, vertex] = True
        edges[others] += 1
        edges[vertex] = count
    return _weighted(joined, rng)


def _small_world(n, rng):
    """Return the weights of a ring of which some edges end at random vertices."""
    joined = np.zeros((n, n), bool)
    for step in (1, 2):
        first = np.arange(n)
        last = (first + step) % n
        turned = rng.random(n) < 0.1
        last[turned] = rng.integers(0, n, turned.sum())
        joined[np.minimum(first, last), np.maximum(first, last)] = True
    return _weighted(joined, rng)


def _grid(n, rng):
    """Return the weights of a rectangle of vertices, the last row perhaps shorter."""
    row, column = np.divmod(np.arange(n), int(np.ceil(np.sqrt(n))))
    away = abs(row[:, None] - row) + abs(column[:, None] - column)
    return _weighted(away == 1, rng)


def _path(n, rng):
    """Return the weights of a line of vertices."""
    return _weighted(np.eye(n, k=1) > 0, rng)


def _weighted(joined, rng):
    """Return weights for the edges above the diagonal, and the same below it."""
    weights = np.where(joined, rng.uniform(0.5, 1.5, joined.shape), 0)
    upper = np.triu(weights, 1)
    return upper + upper.T


_MODELS = {
    "geometric": _geometric,
    "community": _community,
    "random": _random,
    "scale free": _scale_free,
    "small world": _small_world,
    "grid": _grid,
    "path": _path,
}
"""Functions of the number of vertices and a generator that return weights, by kind."""
