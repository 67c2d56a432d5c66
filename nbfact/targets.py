"""Matrices to factor: named transforms, planted products, a lead field, files.

The named transforms are orthonormal (unitary) by default; ``normalized=False`` gives
the textbook scaling, that of :mod:`scipy.fft`. Their entries are computed from
integers reduced modulo the period, so each is right to about one unit in the last
place, and exact at quarters of a turn: ``exp(-2j * pi * j * k / n)`` written as such
is wrong by ``n * eps`` in the far corner.
"""

import operator

import numpy as np
import scipy.sparse

from ._files import load_matrix as load_matrix

RandomState = None | int | np.random.Generator


def hadamard(n: int, normalized: bool = True) -> np.ndarray:
    """Return the Walsh-Hadamard matrix of Sylvester, in natural order.

    Parameters
    ----------
    n : int
        Order, a power of two.
    normalized : bool
        ``True``: orthonormal, entries ±1/√n. ``False``: entries ±1.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Symmetric; entry (i, j) has the sign (-1)^popcount(i & j).

    Raises
    ------
    TypeError
        When `n` is not an integer.
    ValueError
        When `n` is not a power of two.

    Examples
    --------
    >>> hadamard(2, normalized=False)
    array([[ 1.,  1.],
           [ 1., -1.]])
    """
    n = _size("n", n)
    if n & (n - 1):
        raise ValueError(f"n={n}: a Hadamard matrix needs n to be a power of two")
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.sqrt(n) if normalized else matrix


def dft(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the discrete Fourier transform.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: unitary, as ``scipy.fft.fft(..., norm="ortho")``. ``False``: entries
        of modulus one, as ``scipy.fft.fft``.

    Returns
    -------
    ndarray of complex128, shape (n, n)
        Entry (k, j) is exp(-2πi jk/n), divided by √n when normalized.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    Examples
    --------
    >>> import scipy.fft
    >>> x = np.arange(12.0)
    >>> bool(np.allclose(dft(12) @ x, scipy.fft.fft(x, norm="ortho"), atol=1e-14))
    True
    """
    n = _size("n", n)
    product = np.multiply.outer(np.arange(n), np.arange(n))
    matrix = np.empty((n, n), dtype=complex)
    matrix.real = _cos_turns(product, n)
    matrix.imag = _sin_turns(-product, n)
    return matrix / np.sqrt(n) if normalized else matrix


def dct(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the discrete cosine transform of type II.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: orthonormal, as ``scipy.fft.dct(..., norm="ortho")``. ``False``: the
        textbook scaling, as ``scipy.fft.dct``.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Entry (k, j) is 2 cos(π k (2j + 1) / 2n); normalized, row 0 is multiplied by
        1/(2√n) and the others by 1/√(2n).

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    Examples
    --------
    >>> dct(1)
    array([[1.]])
    """
    n = _size("n", n)
    k, j = np.arange(n)[:, None], np.arange(n)
    matrix = 2 * _cos_turns(k * (2 * j + 1), 4 * n)
    return _orthonormal(matrix, 0) if normalized else matrix


def dst(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the discrete sine transform of type II.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: orthonormal, as ``scipy.fft.dst(..., norm="ortho")``. ``False``: the
        textbook scaling, as ``scipy.fft.dst``.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Entry (k, j) is 2 sin(π (k + 1)(2j + 1) / 2n); normalized, the last row is
        multiplied by 1/(2√n) and the others by 1/√(2n).

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    Examples
    --------
    >>> dst(1)
    array([[1.]])
    """
    n = _size("n", n)
    k, j = np.arange(n)[:, None], np.arange(n)
    matrix = 2 * _sin_turns((k + 1) * (2 * j + 1), 4 * n)
    return _orthonormal(matrix, n - 1) if normalized else matrix


def hartley(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the discrete Hartley transform.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: orthonormal. ``False``: the textbook scaling.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Symmetric; entry (k, j) is cos(2π jk/n) + sin(2π jk/n), divided by √n when
        normalized.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    Examples
    --------
    >>> hartley(2, normalized=False)
    array([[ 1.,  1.],
           [ 1., -1.]])
    """
    n = _size("n", n)
    product = np.multiply.outer(np.arange(n), np.arange(n))
    matrix = _cos_turns(product, n) + _sin_turns(product, n)
    return matrix / np.sqrt(n) if normalized else matrix


def planted(
    n: int,
    n_factors: int,
    k: int,
    random_state: RandomState = None,
    return_factors: bool = False,
) -> np.ndarray | tuple[np.ndarray, list[scipy.sparse.csr_array]]:
    """Return a product of random sparse factors, which an algorithm should find again.

    Parameters
    ----------
    n : int
        Order of the matrix and of every factor.
    n_factors : int
        Number of factors, J.
    k : int
        Non-zeros in each row and in each column of each factor, from 1 to `n`.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.
    return_factors : bool
        Return the factors as well.

    Returns
    -------
    matrix : ndarray of float64, shape (n, n)
        S[0] @ S[1] @ ... @ S[J-1].
    factors : list of scipy.sparse.csr_array
        Only with `return_factors`; each (n, n) with ``n * k`` non-zeros.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, not positive, or `k` exceeds `n`.

    Notes
    -----
    A support is k random diagonals of a circulant matrix under a random permutation
    of rows and another of columns. Values are Gaussian of variance 1/k, so a column
    of the product keeps a norm of about one at any depth.

    Examples
    --------
    >>> matrix, factors = planted(8, 3, 2, random_state=0, return_factors=True)
    >>> matrix.shape, [factor.nnz for factor in factors]
    ((8, 8), [16, 16, 16])
    """
    n, n_factors, k = _size("n", n), _size("n_factors", n_factors), _size("k", k)
    if k > n:
        raise ValueError(f"k={k}: a row of n={n} entries has at most {n} non-zeros")
    rng = np.random.default_rng(random_state)
    factors = [_planted_factor(n, k, rng) for _ in range(n_factors)]
    matrix = factors[-1].toarray()
    for factor in factors[-2::-1]:
        matrix = factor @ matrix
    return (matrix, factors) if return_factors else matrix


def leadfield(
    n_sensors: int, n_sources: int, random_state: RandomState = None
) -> np.ndarray:
    """Return a magnetoencephalography (MEG) forward operator, one column per dipole.

    Parameters
    ----------
    n_sensors : int
        Rows: planar gradiometers, two at each of ``n_sensors / 2`` places (204 on the
        helmets in use).
    n_sources : int
        Columns: current dipoles (8193 in the literature on fast MEG operators).
    random_state : None, int or numpy.random.Generator
        Where the sources are and point; the sensors do not depend on it.

    Returns
    -------
    ndarray of float64, shape (n_sensors, n_sources)
        Gradients of the field in fT/cm for dipoles of 1 nA·m. Always finite.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, or not positive.

    Notes
    -----
    The head is a conducting sphere centred at the origin, outside which a dipole Q
    at r0 has the field ([1]_, equation 25)

        B(r) = μ0 / (4π F²) · (F Q×r0 − (Q×r0 · r) ∇F),
        F = a (r a + r² − r0·r),    a = r − r0,
        ∇F = (a²/r + a·r/a + 2a + 2r) r − (a + 2r + a·r/a) r0,

    whatever the conductivity. Places are spread evenly on a helmet of radius 0.12 m,
    down to 20° below the horizon; each carries two gradiometers that measure the
    difference of the outward field between two points 16.8 mm apart, along a meridian
    and along a parallel. Sources lie between 0.05 and 0.085 m from the centre, above
    30° below the horizon, uniformly in that volume, with orientations uniform on the
    sphere: as with a folded cortex some are almost radial, hence almost silent.

    References
    ----------
    .. [1] J. Sarvas, "Basic mathematical and electromagnetic concepts of the
       biomagnetic inverse problem", Phys. Med. Biol. 32 (1987), 11-22.

    Examples
    --------
    >>> leadfield(204, 100, random_state=0).shape
    (204, 100)
    """
    n_sensors = _size("n_sensors", n_sensors)
    n_sources = _size("n_sources", n_sources)
    rng = np.random.default_rng(random_state)
    places, meridian, parallel = _helmet((n_sensors + 1) // 2)
    # Sensors 2i and 2i + 1 share place i; an odd count leaves the last one single.
    centre = np.repeat(places, 2, axis=0)[:n_sensors]
    along = np.stack([meridian, parallel], axis=1).reshape(-1, 3)[:n_sensors]
    sources, moments = _dipoles(n_sources, rng)
    outward = centre / np.linalg.norm(centre, axis=1, keepdims=True)
    ahead = _sarvas(centre + 0.0084 * along, outward, sources, moments)
    behind = _sarvas(centre - 0.0084 * along, outward, sources, moments)
    return (ahead - behind) / 0.0168 * 1e4  # T/m for 1 A·m -> fT/cm for 1 nA·m


def _size(name, value):
    """Return `value` as a positive int, or say what is wrong with argument `name`."""
    try:
        size = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: expected an integer") from None
    if size < 1:
        raise ValueError(f"{name}={size}: expected at least 1")
    return size


def _cos_turns(numerator, period):
    """Return cos(2π numerator / period) for integers, exact at quarters of a turn."""
    numerator = numerator % period
    # In [0, 1/2] of a turn; as the sine of the signed distance to a quarter turn,
    # small results keep their relative accuracy. Adding 0 turns -0 into 0.
    numerator = np.minimum(numerator, period - numerator)
    return np.sin(np.pi / 2 * ((period - 4 * numerator) / period)) + 0.0


def _sin_turns(numerator, period):
    """Return sin(2π numerator / period) for integers, exact at quarters of a turn."""
    return _cos_turns(4 * numerator - period, 4 * period)


def _orthonormal(matrix, single):
    """Scale the textbook DCT or DST in place; row `single` is the longer one."""
    norms = np.full((len(matrix), 1), np.sqrt(2 * len(matrix)))
    norms[single] = 2 * np.sqrt(len(matrix))
    matrix /= norms
    return matrix


def _planted_factor(n, k, rng):
    """Return one CSR factor with exactly k Gaussian entries per row and column."""
    rows, columns = rng.permutation(n), rng.permutation(n)
    offsets = rng.choice(n, size=k, replace=False)
    shifted = (np.arange(n)[:, None] + offsets) % n
    values = rng.standard_normal(n * k) / np.sqrt(k)
    coordinates = (np.repeat(rows, k), columns[shifted.ravel()])
    return scipy.sparse.coo_array((values, coordinates), shape=(n, n)).tocsr()


def _helmet(n_places):
    """Return places (n_places, 3) and their unit vectors to the south and the east."""
    index = np.arange(n_places) + 0.5
    height = 1 - index / n_places * (1 + np.sin(np.radians(20)))
    angle = np.pi * (3 - np.sqrt(5)) * index  # Fibonacci's spiral
    cos, sin, flat = np.cos(angle), np.sin(angle), np.sqrt(1 - height**2)
    places = 0.12 * np.stack([flat * cos, flat * sin, height], axis=1)
    meridian = np.stack([height * cos, height * sin, -flat], axis=1)
    parallel = np.stack([-sin, cos, np.zeros(n_places)], axis=1)
    return places, meridian, parallel


def _dipoles(n_sources, rng):
    """Return places (n_sources, 3) in metres and unit moments (n_sources, 3)."""
    radius = np.cbrt(rng.uniform(0.05**3, 0.085**3, n_sources))
    height = rng.uniform(-0.5, 1, n_sources)
    angle = rng.uniform(0, 2 * np.pi, n_sources)
    flat = np.sqrt(1 - height**2)
    unit = np.stack([flat * np.cos(angle), flat * np.sin(angle), height], axis=1)
    moments = rng.standard_normal((n_sources, 3))
    moments /= np.linalg.norm(moments, axis=1, keepdims=True)
    return radius[:, None] * unit, moments


def _sarvas(points, normals, sources, moments):
    """Return the field along `normals` at `points`: (n_points, n_sources), tesla."""
    r2 = np.sum(points**2, axis=1)[:, None]
    r = np.sqrt(r2)
    r_r0 = points @ sources.T
    a2 = r2 + np.sum(sources**2, axis=1) - 2 * r_r0  # never near 0: 3.5 cm apart
    a = np.sqrt(a2)
    a_r = r2 - r_r0
    turn = np.cross(moments, sources)
    f = a * (r * a + a_r)
    towards = np.sum(points * normals, axis=1)[:, None]
    gradient = (a2 / r + a_r / a + 2 * a + 2 * r) * towards
    gradient -= (a + 2 * r + a_r / a) * (normals @ sources.T)
    field = f * (normals @ turn.T) - (points @ turn.T) * gradient
    return 1e-7 * field / f**2  # mu0 / 4 pi
