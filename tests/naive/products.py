"""Twins of the products with fast transforms, as products with dense matrices."""

import numpy as np


def hadamard_matrix(n):
    """Sylvester's construction, entries 1 and -1."""
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def fwht(x):
    """Return the Walsh-Hadamard transform of a vector."""
    return hadamard_matrix(len(x)) @ x


def fwht_columns(x):
    """Return the Walsh-Hadamard transform of each column."""
    return hadamard_matrix(len(x)) @ x


def fwht_rows(x):
    """Return the Walsh-Hadamard transform of each row."""
    return x @ hadamard_matrix(x.shape[1])


def butterfly_matrix(values):
    """Product of the levels; values: (L, n / 2, 2, 2) in torch_butterfly's order."""
    n_levels, half = values.shape[:2]
    product = np.eye(2 * half, dtype=values.dtype)
    for level in range(n_levels):
        stride = 2**level
        factor = np.zeros_like(product)
        for i in range(half):
            p = 2 * (i - i % stride) + i % stride
            factor[np.ix_([p, p + stride], [p, p + stride])] = values[level, i]
        product = factor @ product
    return product


def butterfly_pack(values):
    """Return the values in constant geometry: row, column, low bits, high bits."""
    n_levels, half = values.shape[:2]
    levels = []
    for level, blocks in enumerate(values):
        split = blocks.reshape(
            half >> level, 1 << level, 2, 2
        )  # high, low, row, column
        levels.append(split.transpose(2, 3, 1, 0).reshape(2, 2, half))
    return np.array(levels).reshape(n_levels, 2, 2, half)


def butterfly_unpack(twiddle):
    """Return the values whose `butterfly_pack` these are."""
    n_levels, half = len(twiddle), twiddle.shape[3]
    levels = []
    for level, blocks in enumerate(twiddle):
        split = blocks.reshape(2, 2, 1 << level, half >> level)
        levels.append(split.transpose(3, 2, 0, 1).reshape(half, 2, 2))
    return np.array(levels).reshape(n_levels, half, 2, 2)


def butterfly_apply(twiddle, x):
    """Return the product of a packed butterfly with a vector or a matrix."""
    return butterfly_matrix(butterfly_unpack(twiddle)) @ x


def butterfly_adjoint(twiddle, x):
    """Return the product of the adjoint of a packed butterfly with x."""
    return butterfly_matrix(butterfly_unpack(twiddle)).conj().T @ x


def butterfly_apply_columns(twiddle, x):
    """Return the product of a butterfly with every column of x."""
    return np.array([butterfly_matrix(twiddle) @ column for column in x.T]).T


def butterfly_adjoint_columns(twiddle, x):
    """Return the product of the adjoint of a butterfly with every column of x."""
    return np.array([butterfly_matrix(twiddle).conj().T @ column for column in x.T]).T


def torch_butterfly(twiddle, x, increasing_stride):
    """Multiply rows x: (batch, n) as torch_butterfly says: (batch, nstacks, n).

    twiddle: (nstacks, nblocks, log2(n), n / 2, 2, 2).
    """
    n_stacks, n_blocks, n_levels = twiddle.shape[:3]
    batch, n = x.shape
    out = np.zeros((batch, n_stacks, n), np.result_type(twiddle, x))
    for row in range(batch):
        for stack in range(n_stacks):
            y = x[row].astype(out.dtype)
            increasing = increasing_stride
            for block in range(n_blocks):
                for index in range(n_levels):
                    log_stride = index if increasing else n_levels - 1 - index
                    stride = 1 << log_stride
                    for i in range(n // 2):
                        t = twiddle[stack, block, index, i]
                        low = i % stride
                        pos = 2 * (i - low) + low
                        first, second = y[pos], y[pos + stride]
                        y[pos] = t[0, 0] * first + t[0, 1] * second
                        y[pos + stride] = t[1, 0] * first + t[1, 1] * second
                increasing = not increasing
            out[row, stack] = y
    return out


def rows_of_planes(layout, n):
    """Return the frequency of each row of the planes, -1 for unused rows, and the rest.

    The rest are the rows at the end of the layout.
    """
    group, count = layout[:2]
    radices, rest = layout[2 : 2 + count], layout[2 + count :]
    index = np.arange(n).reshape(tuple(radices)[::-1]).transpose().ravel()
    frequency = np.full(n + n // group, -1)
    place = np.arange(n)
    frequency[place + place // group] = index
    return frequency, rest


def fourier_columns(x, layout, scale):
    """Return the Fourier transform of columns, or the inverse one, not normalised."""
    frequency, rest = rows_of_planes(layout, len(x))
    norm = "forward" if rest[-1] else "backward"
    turned = (np.fft.ifft if rest[-1] else np.fft.fft)(x, axis=0, norm=norm)
    return scale * turned[frequency[rest[:-1]]]


def pair_rows(x):
    """Return pairs of real rows as complex ones."""
    return x[::2] + 1j * x[1::2]


def part_rows(z):
    """Return the transforms of real rows x and y from those of x + iy."""
    mirrored = np.roll(z[:, ::-1], 1, axis=1).conj()
    both = (z + mirrored) / 2, (z - mirrored) / 2j
    return np.stack(both, axis=1).reshape(-1, z.shape[1])


def part_columns(z):
    """Do the same for columns."""
    return part_rows(z.T).T


def pairs_are_alike(sums, pairs):
    """Return whether sums of squares of two vectors differ by a factor of 256 at most.

    Each half of the sums has real and imaginary parts of the pairs in turn, over again
    where they are few.
    """
    numbers = sums.reshape(2, -1, 2).astype(float).sum(axis=2)
    both = np.array([numbers[:, j::pairs].sum(axis=1) for j in range(pairs)])
    least, most = both.min(axis=1), both.max(axis=1)
    with np.errstate(invalid="ignore"):
        alike = (least > 1.2e-38) & (most <= 256 * least) & np.isfinite(most)
    return alike.all()


def convolve_columns(x, layout, numbers, rows):
    """Return rows of the circular convolutions of columns, real or in pairs of parts.

    A real column is a complex one of its even and odd entries.
    """
    head = 2 + layout[1]
    n = int(np.prod(layout[2:head]))
    frequency, rest = rows_of_planes(layout, n)
    reverse, pairs, places = rest[0], rest[1], frequency[rest[2:]].reshape(-1, 2)
    factors = np.zeros((n, 2), complex)
    factors[places] = numbers.astype(float).view(complex).reshape(-1, 2, 2)
    z = np.zeros((n if pairs else 2 * n, x.shape[1]))
    z[: len(x)] = x
    z = z[:, ::2] + 1j * z[:, 1::2] if pairs else z[::2] + 1j * z[1::2]
    z = np.fft.fft(z, axis=0)
    opposite = z[-np.arange(n) % n].conj()
    z = np.fft.ifft(factors[:, :1] * z + factors[:, 1:] * opposite, axis=0) * n
    found = np.stack([z.real, z.imag], 2 if pairs else 1).reshape(-1, x.shape[1])
    return found[:rows][::-1] if reverse else found[:rows]


def convolve_vector(x, layout, turns, order, rows):
    """Return entries of the circular convolution of a vector, real or complex.

    The transform has `order` complex numbers. A real vector is a complex one of its
    even and odd entries.
    """
    reverse, pairs = layout[-2], x.dtype.kind != "c"
    parts = turns[-4 * order if pairs else -2 * order :].reshape(-1, 2, order)
    a, *b = parts[:, 0] + 1j * parts[:, 1]
    z = np.zeros(2 * order if pairs else order, x.dtype)
    z[: len(x)] = x
    z = np.fft.fft(z[::2] + 1j * z[1::2] if pairs else z)
    opposite = z[-np.arange(order) % order].conj()
    z = np.fft.ifft(a * z + (b[0] * opposite if pairs else 0)) * order
    found = np.stack([z.real, z.imag], 1).ravel() if pairs else z
    return found[:rows][::-1] if reverse else found[:rows]


def fourier_vector(x, layout, scale):
    """Return the Fourier transform of a vector, or the inverse one, not normalised."""
    return scale * (np.fft.ifft(x) * len(x) if layout[-1] else np.fft.fft(x))


def real_vector(x, layout, turns):
    """Return the real parts of turned entries of the Fourier transform of a vector."""
    n = len(x)
    index, read = layout[-2 * n - 1 : -n - 1], layout[-n - 1 : -1]
    weights, parts = turns[-3 * n : -2 * n], turns[-2 * n :]
    spectrum = np.fft.fft(weights * x[index])
    return ((parts[::2] + 1j * parts[1::2]) * spectrum[read]).real


def real_vector_adjoint(x, layout, turns):
    """Return the transpose of `real_vector`."""
    eye = np.eye(len(x))
    matrix = np.stack([real_vector(row, layout, turns) for row in eye], axis=1)
    return matrix.T @ x


def even_vector(x, layout, turns):
    """Return sums of the parts of Z[k] and Z[-k], for the transform Z of pairs of x."""
    n, (makhoul, turned, _) = len(x), layout[-3:]
    parts = turns[-4 * n :].reshape(4, n)
    if makhoul:
        x = np.concatenate([x[::2], (-1 if turned else 1) * x[1::2][::-1]])
    z = np.fft.fft(x[::2] + 1j * x[1::2])
    opposite = z[-np.arange(n // 2) % (n // 2)]
    both = np.stack([z.real, z.imag, opposite.real, opposite.imag])
    found = (parts * np.tile(both, 2)).sum(axis=0)
    return found[::-1] if turned else found


def even_vector_adjoint(x, layout, turns):
    """Return the transpose of `even_vector`."""
    eye = np.eye(len(x))
    return np.stack([even_vector(row, layout, turns) for row in eye]) @ x


def real_columns(x, layout, numbers):
    """Return the real parts of turned rows of the Fourier transform of columns."""
    n = len(x)
    frequency, rows = rows_of_planes(layout, n)
    index, place = rows[:n], rows[n : 2 * n]
    spectrum = np.fft.fft(numbers[:n, None] * x[index], axis=0)
    turns = 2 * (numbers[n::2] + 1j * numbers[n + 1 :: 2])
    return (turns[:, None] * spectrum[frequency[place]]).real


def real_columns_adjoint(x, layout, numbers):
    """Return the real part of the Fourier transform of turned rows, reordered."""
    n = len(x)
    frequency, rows = rows_of_planes(layout, n)
    turns = 2 * (numbers[n::4] + 1j * numbers[n + 1 :: 4])
    spectrum = np.fft.fft(turns[:, None] * x[rows[:n]], axis=0)
    out = np.empty_like(x)
    found = numbers[:n, None] * spectrum[frequency[rows[2 * n : 3 * n]]].real
    out[rows[3 * n :]] = found
    return out


def haar_vector(scale, x, n):
    """Return the Haar transforms of vectors of length n, one after the other."""
    found = []
    for means in x.reshape(-1, n):
        details = []
        while len(means) > 1:
            pairs = means.reshape(-1, 2)
            details = [*(pairs[:, 0] - pairs[:, 1]) / np.sqrt(2), *details]
            means = (pairs[:, 0] + pairs[:, 1]) / np.sqrt(2)
        found.append([*means, *details])
    return scale * np.array(found).ravel()


def haar_vector_adjoint(scale, x, n):
    """Return the products of the transpose of the matrix with vectors."""
    matrix = haar_vector(scale, np.eye(n).ravel(), n).reshape(n, n)  # transposed
    return (x.reshape(-1, n) @ matrix.T).ravel()


def haar_columns(scale, x):
    """Return the Haar transform of each column."""
    return haar_vector(scale, x.T.ravel(), len(x)).reshape(x.T.shape).T


def haar_columns_adjoint(scale, x):
    """Return the product of the transpose with each column."""
    return haar_vector_adjoint(scale, x.T.ravel(), len(x)).reshape(x.T.shape).T
