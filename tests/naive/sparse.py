"""Twins of the kernels on sparse factors in CSR form, and of norms."""

import itertools

import numpy as np


def csr_matrix(data, indices, indptr, n_columns):
    """Return the dense matrix of a sparse one in CSR form."""
    matrix = np.zeros((len(indptr) - 1, n_columns), data.dtype)
    for i in range(len(matrix)):
        for t in range(indptr[i], indptr[i + 1]):
            matrix[i, indices[t]] += data[t]
    return matrix


def csr_apply(data, indices, indptr, x):
    """Return S @ x for one vector x."""
    return csr_matrix(data, indices, indptr, len(x)) @ x


def csr_apply_columns(data, indices, indptr, x):
    """Return S @ x for a matrix x."""
    return csr_matrix(data, indices, indptr, len(x)) @ x


def csr_add(data, indices, indptr, x):
    """Return x + S."""
    return x + csr_matrix(data, indices, indptr, x.shape[1])


def csr_arrays(x):
    """Return data, indices and indptr of the entries that are not zero, row by row."""
    places = [(i, j) for i, j in np.ndindex(x.shape) if x[i, j] != 0]
    data = np.array([x[place] for place in places], x.dtype)
    indices = np.array([j for _, j in places], np.int64)
    counts = [sum(i == row for i, _ in places) for row in range(len(x))]
    return data, indices, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def csr_compress(x):
    """Return the three arrays of x in CSR form, and those of its adjoint."""
    return *csr_arrays(x), *csr_arrays(x.conj().T)


def csr_gram(factor):
    """Return S Sᴴ for a dense S."""
    return factor @ factor.conj().T


def csr_entered(old, new):
    """Count the entries that are not zero in the new matrix and zero in the old one."""
    return sum(bool(new[place] and not old[place]) for place in np.ndindex(new.shape))


def csr_fit(factor, gram, cross):
    """Return Re<C, S> and Re<S G, S> for a dense S."""
    return np.vdot(factor, cross).real, np.vdot(factor, factor @ gram).real


def adjoint_copy(x):
    """Return the conjugate transpose."""
    return x.conj().T


def count_nonzeros(x):
    """Count the entries that are not zero."""
    return sum(entry != 0 for entry in x.ravel())


def product(factors, size, dtype):
    """Return the product of some factors, the identity if there is none."""
    result = np.eye(size, dtype=dtype)
    for factor in factors:
        result = result @ factor
    return result


def chain_factors(data, indices, indptr, layout, n_columns):
    """Return the dense factors of a packed chain, in order of application."""
    factors = []
    for rows, first_row in layout:
        ends = indptr[first_row : first_row + rows + 1]
        factors.append(csr_matrix(data, indices, ends, n_columns))
        n_columns = rows
    return factors


def sliced_factors(data, indices, table, n_columns):
    """Return the dense factors of a chain in slices of 16 rows, and the last order."""
    factors, order, numbers = [], slice(None), iter(table[2:])
    entries = zip(indices[: len(data)], data, strict=True)

    def pairs(count):
        return [(next(numbers), next(numbers)) for _ in range(count)]

    for _ in range(table[0]):
        rows, n_runs, n_rest, ordered = (next(numbers) for _ in range(4))
        factor = np.zeros((rows, n_columns), data.dtype)
        runs, rest, first = pairs(n_runs), pairs(n_rest), 0
        for width in [width for count, width in runs for _ in range(count)]:
            first = min(first, rows - 16)
            factor[first : first + 16] = 0
            for _, row in itertools.product(range(width), range(first, first + 16)):
                column, value = next(entries)
                factor[row, column] += value
            first += 16
        for row, count in rest:
            for _ in range(count):
                column, value = next(entries)
                factor[row, column] += value
        if ordered:
            order = indices[len(data) :]
        factors.append(factor)
        n_columns = rows
    return factors, order


def block_chain_factors(data, indices, table, n_columns):
    """Return the dense factors of a chain in blocks of 8, in order of application."""
    numbers, values, columns, factors = iter(table[2:]), list(data), list(indices), []
    for _ in range(table[0]):
        rows, by_rows, n_lines, n_rest = (next(numbers) for _ in range(4))
        # The last group of rows may be filled up with zeros.
        factor = np.zeros((rows + 8, n_columns), data.dtype)
        for line, count in enumerate([next(numbers) for _ in range(n_lines)]):
            for _ in range(count):
                j, block, values = columns.pop(0), values[:8], values[8:]
                if by_rows:
                    factor[line, j : j + 8] = block
                else:
                    factor[8 * line : 8 * line + 8, j] = block
        for row, count in [(next(numbers), next(numbers)) for _ in range(n_rest)]:
            for _ in range(count):
                factor[row, columns.pop(0)] = values.pop(0)
        factors.append(factor[:rows])
        n_columns = rows
    return factors


def block_chain_apply(data, indices, table, scale, x):
    """Return scale * S[0] @ ... @ S[J-1] @ x for a chain in blocks and one vector x."""
    for factor in block_chain_factors(data, indices, table, len(x)):
        x = factor @ x
    return scale * x


def chain_apply(data, indices, table, scale, x):
    """Return scale * S[0] @ ... @ S[J-1] @ x for a chain in slices and one vector x."""
    factors, order = sliced_factors(data, indices, table, len(x))
    for factor in factors:
        x = factor @ x
    return scale * x[order]


def chain_apply_columns(data, indices, indptr, layout, scale, x):
    """Return the product of a packed chain with every column of a matrix."""
    for factor in chain_factors(data, indices, indptr, layout, len(x)):
        x = factor @ x
    return scale * x


def chain_step(factor, left, gram, cross, scale, weight):
    """Return S - w Lᴴ (λ L S G - C) for a dense S and L."""
    return factor - weight * left.conj().T @ (scale * left @ factor @ gram - cross)


def chain_absorb(factor, gram, cross):
    """Return S G Sᴴ and S X for a dense S, and the root of the norm of the first."""
    grown = factor @ gram @ factor.conj().T
    return grown, factor @ cross, gram_norm(grown) ** 0.5


def chain_residual(left, x, cross, scale):
    """Return ‖λ L x - C‖² for a dense L."""
    return np.linalg.norm(scale * left @ x - cross) ** 2


def chain_norm(factors):
    """Return the largest singular value of a product of dense factors."""
    return spectral_norm(product(factors, len(factors[0]), factors[0].dtype))


def gram_norm(gram):
    """Return the largest eigenvalue of a Hermitian matrix."""
    return np.linalg.eigvalsh(gram)[-1]


def all_finite(x):
    """Return whether no entry is NaN or infinite."""
    return bool(np.isfinite(x).all())


def max_abs(x):
    """Return the largest modulus of the real and of the imaginary parts."""
    return max(abs(x.real).max(), abs(x.imag).max())


def frobenius_norm(x):
    """Return the norm of x divided by its largest entry, times that entry."""
    largest = np.float64(max_abs(x))
    return largest * np.linalg.norm(x / largest) if largest else 0.0


def spectral_norm(x):
    """Return the largest singular value."""
    return np.linalg.svd(x, compute_uv=False)[0]
