"""Quickselect, and the rule for ties: the lowest index is kept first.

A sort compiles for seconds and orders what nobody reads; a threshold is enough.
"""

import numpy as np

from ._jit import kernel


@kernel
def modulus(z):
    """Return the modulus of a number, in its precision, without overflow.

    On complex128, four times as fast in a projection as abs, which calls hypot.
    """
    if z.imag == 0:  # folded away for real numbers
        return abs(z.real)
    large = max(abs(z.real), abs(z.imag))
    small = min(abs(z.real), abs(z.imag))
    ratio = small / large
    return large * np.sqrt(large / large + ratio * ratio)


@kernel
def kth_largest(values, k):
    """Return the k-th largest of values, and how many of its equals are in the top k.

    values: (n,) real, clobbered; k: 1 <= k <= n.
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
        # What remains excludes the pivot: ties end the loop, they never slow it.
        write = 0
        if k <= above:
            for i in range(n):  # no branch to mispredict
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

    values: (n,) real, permuted; n: its length in use.
    """
    size = 7 if n < 512 else 31 if n < 65536 else 255
    state = n
    for i in range(size):
        # A linear congruential generator: regular positions meet regular matrices.
        state = (state * 1103515245 + 12345) % 2147483648
        j = i + (state >> 8) % (n - i)
        value = values[j]
        values[j] = values[i]
        values[i] = value
    _sort_descending(values, size)
    rank = size * k // n
    margin = 1 + size // 32
    # On the far side of the k-th value, so that the smaller part is kept.
    rank = rank + margin if 2 * k < n else rank - margin
    return values[min(max(rank, 0), size - 1)]


@kernel
def _sort_descending(values, n):
    """Sort values[:n] by insertion, largest first; n is small."""
    for i in range(1, n):
        value = values[i]
        j = i
        while j > 0 and values[j - 1] < value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@kernel
def keep_largest(x, k, scratch):
    """Zero all but the k entries of largest modulus, the lowest index first on ties.

    x: (n,); scratch: (n,) of the real dtype of x.
    """
    if k >= x.size:
        return
    for i in range(x.size):
        scratch[i] = modulus(x[i])
    threshold, ties = kth_largest(scratch, k)
    for i in range(x.size):
        value = modulus(x[i])
        if value < threshold:
            x[i] = 0
        elif value == threshold:
            if ties == 0:
                x[i] = 0
            else:
                ties -= 1
