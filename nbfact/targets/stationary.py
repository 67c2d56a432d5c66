"""Toeplitz matrices, and layers of convolutions."""

import numpy as np
import scipy.linalg

from .._core.checks import RandomState, generator, size
from .._core.limits import dense_order


def toeplitz(n: int, random_state: RandomState = None) -> np.ndarray:
    """Return a Toeplitz matrix whose 2 n - 1 diagonals are Gaussian of variance 1/n.

    Parameters
    ----------
    n : int
        Order, at least 1.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The matrix whose entry (i, j) depends on i - j alone.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    nbfact.transforms.toeplitz : Any Toeplitz matrix as a fast operator.

    Examples
    --------
    >>> import nbfact as nf
    >>> T = nf.targets.toeplitz(4, random_state=0)
    >>> bool((T[1:, 1:] == T[:-1, :-1]).all())
    True
    """
    n = dense_order("n", n)
    drawn = generator("random_state", random_state).standard_normal(2 * n - 1)
    drawn /= np.sqrt(n)
    return scipy.linalg.toeplitz(drawn[n - 1 :], drawn[n - 1 :: -1])


def convolution_layer(
    n: int, channels: int = 2, *, width: int = 3, random_state: RandomState = None
) -> np.ndarray:
    """Return the matrix of a layer of convolutions of images with several channels.

    Parameters
    ----------
    n : int
        Order: the number of channels times that of pixels.
    channels : int
        Number of channels of the image, and of the result, a divisor of `n`.
    width : int
        Number of rows, and of columns, of the Gaussian filters of variance
        1 / (channels width²); an odd number. There is one filter for each pair of
        channels.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray of float64, shape (n, n)
        A matrix of channels × channels blocks, one for each filter. An image has
        n / channels pixels, row by row, and as many rows as columns, or else the
        greatest number of rows that is smaller. It is continued by zeros.

    Raises
    ------
    TypeError, ValueError
        When an argument is not a positive integer, `channels` does not divide `n`, or
        `width` is even.

    See Also
    --------
    convolution : A circulant matrix of one filter.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> layer = nf.targets.convolution_layer(32, random_state=0)
    >>> int(np.count_nonzero(layer))
    400
    """
    n = dense_order("n", n)
    channels, width = size("channels", channels), size("width", width)
    if n % channels:
        raise ValueError(f"channels={channels}: must divide n={n}")
    if width % 2 == 0:
        raise ValueError(f"width={width}: must be odd")
    pixels = n // channels
    rows = max(one for one in range(1, int(pixels**0.5) + 1) if pixels % one == 0)
    y, x = np.divmod(np.arange(pixels), pixels // rows)
    down, right = y - y[:, None] + width // 2, x - x[:, None] + width // 2
    inside = (down >= 0) & (down < width) & (right >= 0) & (right < width)
    rng = generator("random_state", random_state)
    filters = rng.standard_normal((channels, channels, width, width))
    filters /= np.sqrt(channels) * width
    blocks = np.zeros((channels, channels, pixels, pixels))
    blocks[:, :, inside] = filters[:, :, down[inside], right[inside]]
    return blocks.transpose(0, 2, 1, 3).reshape(n, n)
