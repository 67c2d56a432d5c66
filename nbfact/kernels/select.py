"""The k-th largest of a vector by quickselect, which needs no sort.

A sort takes seconds to compile and orders entries that nobody reads, where a threshold
is enough. Among equal entries the one of the lowest index is kept first.
"""

import numpy as np

from ._jit import kernel


@kernel
def modulus(z):
    """Return the modulus of a real or complex scalar, without overflow.

    The result has the precision of z. On complex128 a projection is four times as fast
    with it as with ``abs``, which calls hypot.
    """
    if z.imag == 0:  # folded away for real numbers
        return abs(z.real)
    large = max(abs(z.real), abs(z.imag))
    small = min(abs(z.real), abs(z.imag))
    ratio = small / large
    return large * np.sqrt(large / large + ratio * ratio)


@kernel
def kth_largest(values: np.ndarray, k: int) -> tuple[float, int]:
    """Return the k-th largest number, and how many of its equals are in the top k.

    Parameters
    ----------
    values : ndarray, shape (n,), real
        Without NaN; overwritten: some entries are lost.
    k : int
        From 1 to n.

    Returns
    -------
    value : scalar of the dtype of values
        The k-th largest, counted with multiplicity.
    ties : int
        How many entries equal to ``value`` belong to the k largest, at least 1. Keeping
        all entries above ``value`` and ``ties`` of those that equal it keeps k.

    See Also
    --------
    project_sp : The projection that keeps the k largest entries.

    Notes
    -----
    Quickselect with a pivot from a sample. The cost is about n comparisons and a few
    passes, whatever the ties. The choice of the pivot is deterministic.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> value, ties = nf.kernels.kth_largest(np.array([1.0, 4.0, 4.0, 4.0, 9.0]), 3)
    >>> float(value), int(ties)
    (4.0, 2)
    """
    n = values.size
    while n > 24:
        pivot = _pivot(values, n, k)
        above = 0
        equal = 0
        for i in range(n):
            above += values[i] > pivot
            equal += values[i] == pivot
        if above < k <= above + equal:
            return pivot, k - above
        # What remains excludes the pivot: ties end the loop, they never slow it down.
        write = 0
        if k <= above:
            for i in range(n):  # no branch that could be predicted wrongly
                values[write] = values[i]
                write += values[i] > pivot
        else:
            k -= above + equal
            for i in range(n):
                values[write] = values[i]
                write += values[i] < pivot
        n = write
    _sort_descending(values, n)
    ties = 1
    while ties < k and values[k - 1 - ties] == values[k - 1]:
        ties += 1
    return values[k - 1], ties


@kernel
def _pivot(values, n, k):
    """Return an entry of values[:n] a little past the k-th largest, from a sample.

    values: (n or more,) real, permuted; n: the number of entries in use.
    """
    size = 7 if n < 512 else 31 if n < 65536 else 255
    state = n
    for i in range(size):
        # A linear congruential generator: a sample at regular positions would follow
        # the pattern of a regular matrix.
        state = (state * 1103515245 + 12345) % 2147483648
        j = i + (state >> 8) % (n - i)
        value = values[j]
        values[j] = values[i]
        values[i] = value
    _sort_descending(values, size)
    rank = size * k // n
    margin = 1 + size // 32
    # The pivot is on the far side of the k-th value, so that the smaller part is kept.
    rank = rank + margin if 2 * k < n else rank - margin
    return values[min(max(rank, 0), size - 1)]


@kernel
def _sort_descending(values, n):
    """Sort values[:n] by insertion, the largest first, for a small n."""
    for i in range(1, n):
        value = values[i]
        j = i
        while j > 0 and values[j - 1] < value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
