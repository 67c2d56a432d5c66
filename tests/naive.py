"""The slow specification: NumPy written to be read, one twin for each kernel."""

import numpy as np
from scipy.optimize import linprog

# --------------------------------------------------------------------------------------
# Projections: each returns a new array
# --------------------------------------------------------------------------------------


def kth_largest(values, k):
    """Return the k-th largest value and how many of its equals are in the top k."""
    top = sorted(values, reverse=True)[:k]
    return top[-1], top.count(top[-1])


def keep_largest(x, k, tie_tol=0.0):
    """Keep k entries of a vector, by decreasing modulus, then increasing index.

    Those within tie_tol of the k-th largest have its modulus.
    """
    moduli = abs(x).astype(np.float64)
    kth = sorted(moduli, reverse=True)[min(k, x.size) - 1]
    ties = (moduli >= kth * (1 - tie_tol)) & (moduli <= kth * (1 + tie_tol))
    moduli[ties] = kth
    order = sorted(range(x.size), key=lambda i: (-moduli[i], i))
    y = np.zeros_like(x)
    y[order[:k]] = x[order[:k]]
    return y


def project_sp(x, k, tie_tol=0.0):
    return keep_largest(x.ravel(order="F"), k, tie_tol).reshape(x.shape, order="F")


def project_splin(x, k, tie_tol=0.0):
    return np.array([keep_largest(row, k, tie_tol) for row in x])


def project_spcol(x, k, tie_tol=0.0):
    return project_splin(x.T, k, tie_tol).T


def project_splincol(x, k, tie_tol=0.0):
    kept = project_splin(x, k, tie_tol), project_spcol(x, k, tie_tol)
    return np.where((kept[0] != 0) | (kept[1] != 0), x, 0)


def project_sptriu(x, k):
    return project_sp(np.triu(x), k)


def project_sptril(x, k):
    return project_sp(np.tril(x), k)


def project_spsymm(x, k):
    """Mirror the larger of each pair, the largest pair first, until k are kept."""
    n = len(x)
    larger = np.where(abs(np.tril(x)) >= abs(np.tril(x.T)), np.tril(x), np.tril(x.T))
    pairs = [(i, j) for j in range(n) for i in range(j, n)]
    y = np.zeros_like(x)
    for i, j in sorted(pairs, key=lambda pair: -abs(larger[pair])):
        if np.count_nonzero(y) < k:
            y[i, j] = y[j, i] = larger[i, j]
    return y


def project_skperm(x, k_row, k_col, tie_tol=0.0):
    """Solve the linear programme: maximise the energy, at most k per row and column."""
    m, n = x.shape
    weights = abs(x / max(abs(x).max(), np.finfo(x.dtype).tiny)) ** 2
    if tie_tol:
        weights = np.round(weights / tie_tol) * tie_tol
    rows = np.kron(np.eye(m), np.ones((1, n)))
    columns = np.kron(np.ones((1, m)), np.eye(n))
    solution = linprog(
        -weights.ravel(),
        A_ub=np.vstack([rows, columns]),
        b_ub=np.repeat([k_row, k_col], [m, n]),
        bounds=(0, 1),
        method="highs",
    )
    return np.where(solution.x.reshape(m, n) > 0.5, x, 0)


def project_skperm_greedy(x, k_row, k_col):
    """Take the largest entry that has room, ties in column-major order, and so on."""
    entries = [(i, j) for j in range(x.shape[1]) for i in range(x.shape[0])]
    y = np.zeros_like(x)
    for i, j in sorted(entries, key=lambda entry: -abs(x[entry])):
        if np.count_nonzero(y[i]) < k_row and np.count_nonzero(y[:, j]) < k_col:
            y[i, j] = x[i, j]
    return y


def project_supp(x, support):
    return np.where(support, x, 0)


def project_const(x, value):
    return np.array(value, x.dtype)


def project_nonneg(x):
    return np.maximum(x, 0)


def normalize_frobenius(x):
    """Divide by the norm; the largest modulus first, so that squares stay in range."""
    largest = abs(x).max()
    if largest == 0:
        return x.copy()
    return x / largest / np.linalg.norm(x / largest)


def project_normlin(x, s):
    return np.array([s * normalize_frobenius(row) for row in x])


def project_normcol(x, s):
    return project_normlin(x.T, s).T


def project_blockdiag(x, row_ends, col_ends):
    y = np.zeros_like(x)
    row = column = 0
    for row_end, col_end in zip(row_ends, col_ends, strict=True):
        y[row:row_end, column:col_end] = x[row:row_end, column:col_end]
        row, column = row_end, col_end
    return y


def average_over(x, classes):
    """Replace each entry by the mean of the entries of its class."""
    y = np.empty_like(x)
    for label in np.unique(classes):
        y[classes == label] = x[classes == label].mean()
    return y


def project_circ(x):
    i, j = np.indices(x.shape)
    return average_over(x, (j - i) % len(x))


def project_anticirc(x):
    i, j = np.indices(x.shape)
    return average_over(x, (j + i) % len(x))


def project_toeplitz(x):
    i, j = np.indices(x.shape)
    return average_over(x, j - i)


def project_hankel(x):
    i, j = np.indices(x.shape)
    return average_over(x, j + i)


# --------------------------------------------------------------------------------------
# Products: dense matrices of the fast transforms
# --------------------------------------------------------------------------------------


def hadamard_matrix(n):
    """Sylvester's construction, entries 1 and -1."""
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


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


def kronecker_matrix(values):
    """Return the factor of pattern (a, b, c, d) with these values."""
    a, b, c, d = values.shape
    matrix = np.zeros((a, b, d, a, c, d), values.dtype)
    for i, j, k, m in np.ndindex(a, b, c, d):
        matrix[i, j, m, i, k, m] = values[i, j, k, m]
    return matrix.reshape(a * b * d, a * c * d)


def kronecker_gradient(x, gradient, pattern):
    """Keep the entries of a factor in the gradient of a dense matrix."""
    a, b, c, d = pattern
    dense = (gradient @ x.conj().T).reshape(a, b, d, a, c, d)
    values = np.empty(pattern, dense.dtype)
    for i, j, k, m in np.ndindex(pattern):
        values[i, j, k, m] = dense[i, j, m, i, k, m]
    return values


# --------------------------------------------------------------------------------------
# Gradient descent on butterflies: dense products; twiddle: (planes, 4, size)
# --------------------------------------------------------------------------------------


def butterfly_total(n_levels, n, tied):
    """Count the entries of the blocks of orders 1, 2, 4, ..., one of each if tied."""
    return sum((1 if tied else n // 2**k) * 4**k for k in range(n_levels))


def twiddle_entries(n, level, tied):
    """Yield for each block of a level: where its twiddle is, and its two rows."""
    stride = 2**level
    for i in range(n // 2):
        high, low = divmod(i, stride)
        entry = stride - 1 + low if tied else level * n // 2 + i
        yield entry, 2 * stride * high + low, 2 * stride * high + low + stride


def twiddle_factors(twiddle, tied, n):
    """Return the factors K[0], K[1], ..., the first applied first."""
    t = twiddle[0] if len(twiddle) == 1 else twiddle[0] + 1j * twiddle[1]
    factors = []
    for level in range(n.bit_length() - 1):
        factor = np.zeros((n, n), t.dtype)
        for entry, p, q in twiddle_entries(n, level, tied):
            factor[np.ix_([p, q], [p, q])] = t[:, entry].reshape(2, 2)
        factors.append(factor)
    return factors


def butterfly_expand(twiddle, tied, n, n_levels):
    """Return the diagonal blocks of the products of 0, 1, ... n_levels factors."""
    factors, blocks = twiddle_factors(twiddle, tied, n)[:n_levels], []
    for level in range(n_levels + 1):
        matrix, size = product(factors[:level][::-1], n, twiddle.dtype), 2**level
        for first in range(0, size if tied else n, size):
            blocks.append(matrix[first : first + size, first : first + size].ravel())
    blocks = np.concatenate(blocks)
    return np.stack([blocks.real, blocks.imag][: len(twiddle)])


def butterfly_backward(twiddle, tied, n, slope):
    """Gradient of Re<slope, B>, slope: (n, n)."""
    factors, gradient = twiddle_factors(twiddle, tied, n), np.zeros_like(twiddle)
    for level in range(len(factors)):
        right = product(factors[:level][::-1], n, twiddle.dtype)
        left = product(factors[:level:-1], n, twiddle.dtype)
        dense = left.conj().T @ slope @ right.conj().T
        for entry, p, q in twiddle_entries(n, level, tied):
            block = dense[np.ix_([p, q], [p, q])].ravel()
            for plane, part in zip(gradient, (block.real, block.imag), strict=False):
                plane[:, entry] += part
    return gradient


def butterfly_fit_columns(twiddle, tied, x, target):
    """Return the sum of squares of B x - target, and the gradients of half of it."""
    x = x[0] if len(x) == 1 else x[0] + 1j * x[1]
    matrix = product(twiddle_factors(twiddle, tied, len(x))[::-1], len(x), x.dtype)
    error = matrix @ x - (target[0] if len(target) == 1 else target[0] + 1j * target[1])
    error = error.real if len(target) == 1 else error
    slope = matrix.conj().T @ error
    gradient = butterfly_backward(twiddle, tied, len(x), error @ x.conj().T)
    slope = np.stack([slope.real, slope.imag][: len(twiddle)])
    return np.linalg.norm(error) ** 2, gradient, slope


def butterfly_fit(twiddle, tied, target):
    x = np.zeros((len(twiddle), *target.shape[1:]))
    x[0] = np.eye(target.shape[1])
    return butterfly_fit_columns(twiddle, tied, x, target)[:2]


def mixture(index, which, weights):
    """Return the matrix of the relaxed permutation, and that of each stage."""
    n, stages = index.shape[1], []
    for source, weight in zip(index, weights[which], strict=True):
        stage = np.diag(1 - weight)
        stage[np.arange(n), source] += weight
        stages.append(stage)
    return product(stages[::-1], n, weights.dtype), stages


def mixture_fit(index, which, weights, x, target):
    """Return the sum of squares of x P - target, and the gradients of half of it."""
    matrix, stages = mixture(index, which, weights)
    n, gradient = len(matrix), np.zeros_like(weights)
    error = x @ matrix - target
    for k in range(len(stages)):
        left = product(stages[:k:-1], n, x.dtype)
        right = product(stages[:k][::-1], n, x.dtype)
        dense = (x @ left).T @ error @ right.T
        for i in range(n):
            gradient[which[k, i]] += dense[i, index[k, i]] - dense[i, i]
    return np.linalg.norm(error) ** 2, gradient, error @ matrix.T


def adam_step(x, gradient, mean, square, rate, step):
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    unbiased = mean / (1 - 0.9**step), square / (1 - 0.999**step)
    return x - rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8), mean, square


# --------------------------------------------------------------------------------------
# palm4MSA, as in the paper: dense products, exact norms
# --------------------------------------------------------------------------------------


def palm_step(target, left, factor, right, scale, lipschitz):
    residual = scale * left @ factor @ right - target
    return factor - scale / lipschitz * left.conj().T @ residual @ right.conj().T


def optimal_scale(target, product):
    square = np.vdot(product, product).real
    return np.vdot(product, target).real / square if square else 0.0


def product(factors, size, dtype):
    """Product of some factors, the identity if there is none."""
    result = np.eye(size, dtype=dtype)
    for factor in factors:
        result = result @ factor
    return result


def chain_gradient(left, x, target, scale, weight):
    return -weight * left.conj().T @ (scale * left @ x - target)


def chain_residual(left, x, target, scale):
    return np.linalg.norm(scale * left @ x - target) ** 2


def csr_fit(factor, gram, target):
    return np.vdot(factor, target).real, np.vdot(factor, factor @ gram).real


def palm4msa(target, constraints, n_iter, forward):
    """Return the factors, the scale, and the relative error after each sweep."""
    order = list(range(len(constraints)))
    order = order if forward else order[::-1]
    factors = [np.eye(*c.shape, dtype=target.dtype) for c in constraints]
    factors[order[0]][:] = 0
    scale, errors = 1.0, []

    for _ in range(n_iter):
        for j in order:
            left = product(factors[:j], target.shape[0], target.dtype)
            right = product(factors[j + 1 :], factors[j].shape[1], target.dtype)
            norms = np.linalg.norm(left, 2) * np.linalg.norm(right, 2)
            lipschitz = 1.001 * (scale * norms) ** 2
            stepped = palm_step(target, left, factors[j], right, scale, lipschitz)
            factors[j] = constraints[j].project(stepped)
        full = product(factors, target.shape[0], target.dtype)
        scale = optimal_scale(target, full)
        errors.append(np.linalg.norm(target - scale * full) / np.linalg.norm(target))
    return factors, scale, errors


# --------------------------------------------------------------------------------------
# refine: least squares over the values on a support, through the Kronecker product
# --------------------------------------------------------------------------------------


def best_values(target, left, support, right):
    """Return the S on the support that minimises ||target - left @ S @ right||."""
    system = np.kron(left, right.T)[:, support.ravel()]
    best = np.zeros(support.shape, np.result_type(target, left, right))
    best[support] = np.linalg.lstsq(system, target.ravel(), rcond=None)[0]
    return best


def refine(target, factors, n_iter, fixed=()):
    """Return the factors, and the relative error after each sweep."""
    factors, errors = [np.array(factor) for factor in factors], []
    supports = [factor != 0 for factor in factors]
    path = list(range(len(factors)))[::-1]
    for _ in range(n_iter):
        for j in path:
            if j not in fixed:
                left, right = np.eye(len(target)), np.eye(target.shape[1])
                for factor in factors[:j]:
                    left = left @ factor
                for factor in factors[:j:-1]:
                    right = factor @ right
                factors[j] = best_values(target, left, supports[j], right)
        path = path[::-1]
        product = np.linalg.multi_dot([np.eye(len(target)), *factors])
        errors.append(np.linalg.norm(target - product) / np.linalg.norm(target))
    return factors, errors


# --------------------------------------------------------------------------------------
# Butterflies: a split is the best low-rank blocks, from their singular values
# --------------------------------------------------------------------------------------


def split_blocks(target, left, right):
    """Return the rows and columns of the blocks of a split, and their rank.

    left, right: patterns of two factors. Rows whose entries of a column of the left
    factor may not be zero, and columns whose entries of the row of the right one.
    """
    first, second = (
        np.kron(np.kron(np.eye(a), np.ones((b, c))), np.eye(d)) != 0
        for a, b, c, d in (left, right)
    )
    blocks = {}
    for inner in range(first.shape[1]):
        rows, columns = np.flatnonzero(first[:, inner]), np.flatnonzero(second[inner])
        blocks.setdefault((*rows, -1, *columns), (rows, columns, []))[2].append(inner)
    return list(blocks.values())


def split(target, left, right, orthonormal):
    """Return the best two factors of these patterns, and what they lose."""
    (a, b, c, d), (e, f, g, h) = left, right
    first = np.zeros((a * b * d, a * c * d), target.dtype)
    second = np.zeros((e * f * h, e * g * h), target.dtype)
    for rows, columns, inner in split_blocks(target, left, right):
        u, sigma, v = np.linalg.svd(target[np.ix_(rows, columns)], full_matrices=False)
        kept = slice(len(inner))
        power = 0 if orthonormal else 0.5
        first[np.ix_(rows, inner)] = u[:, kept] * sigma[kept] ** power
        second[np.ix_(inner, columns)] = (v[kept].T * sigma[kept] ** (1 - power)).T
    return first, second, np.linalg.norm(target - first @ second)


def butterfly_left_to_right(target, patterns, orthonormal=True):
    """Return the factors, dense, and what each split loses."""
    factors, lost, rest = [], [], target
    for number, pattern in enumerate(patterns[:-1]):
        a, _, c, d = pattern
        wide = patterns[number + 1][0]
        rows = a * c * d // wide
        right = (wide, rows, target.shape[1] // wide, 1)
        first, rest, loss = split(rest, pattern, right, orthonormal)
        factors.append(first)
        lost.append(loss)
    return [*factors, rest], lost


# --------------------------------------------------------------------------------------
# Kronecker-sparse factors, and rows in another order
# --------------------------------------------------------------------------------------


def gather(x, index):
    """Entry (or row) i is x[index[i]], zero where the index is negative."""
    out = np.zeros((len(index), *x.shape[1:]), x.dtype)
    for i, source in enumerate(index):
        if source >= 0:
            out[i] = x[source]
    return out


def kronecker_sparse(values):
    """Dense factor of values (a, b, c, d): block i, line l mixes c entries into b."""
    a, b, c, d = values.shape
    matrix = np.zeros((a * b * d, a * c * d), values.dtype)
    for i in range(a):
        for line in range(d):
            rows = i * b * d + np.arange(b) * d + line
            columns = i * c * d + np.arange(c) * d + line
            matrix[np.ix_(rows, columns)] = values[i, :, :, line]
    return matrix


def permuted_product(values, rows=None, columns=None):
    """Return the A with A[rows][:, columns] = K[0] @ ... @ K[J-1]; -1 drops."""
    result = kronecker_sparse(values[0])
    for value in values[1:]:
        result = result @ kronecker_sparse(value)
    rows = np.arange(result.shape[0]) if rows is None else np.asarray(rows)
    columns = np.arange(result.shape[1]) if columns is None else np.asarray(columns)
    matrix = np.zeros((rows.max() + 1, columns.max() + 1), result.dtype)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            if row >= 0 and column >= 0:
                matrix[row, column] = result[i, j]
    return matrix


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


# --------------------------------------------------------------------------------------
# Pairs of columns and halves of rows
# --------------------------------------------------------------------------------------


def pair_greedily(liking):
    """Return the mate of each index: the largest of what is left, ties by index."""
    n = len(liking)
    mate = np.full(n, -1)
    while min(mate) < 0:
        free = np.flatnonzero(mate < 0)
        pairs = [(i, j) for i in free for j in free if i != j]
        i, j = max(pairs, key=lambda pair: liking[pair])  # max keeps the first
        mate[i], mate[j] = j, i
    return mate


def matchings(indices):
    """Return all ways to pair indices."""
    if not indices:
        return [[]]
    first, *others = indices
    return [
        [(first, other), *pairs]
        for other in others
        for pairs in matchings([i for i in others if i != other])
    ]


def best_matching(gain):
    """Return the largest sum of the gains of a pairing."""
    ways = matchings(list(range(len(gain))))
    return max(sum(gain[pair] for pair in way) for way in ways)


def exchange_gain(gain, mate):
    """Return what is gained at most when two pairs change partners."""
    n = len(gain)
    return max(
        gain[a, c] + gain[mate[a], mate[c]] - gain[a, mate[a]] - gain[c, mate[c]]
        for a in range(n)
        for c in range(n)
        if c not in (a, mate[a])
    )


def minor_eigenvalues(gram, a, b):
    """Return the eigenvalues, increasing, of a Gram matrix of two columns."""
    return np.linalg.eigvalsh(gram[np.ix_([a, b], [a, b])])


def split_gain(grams):
    """Return gain and liking of all pairs; 0 on the diagonal of liking is not meant."""
    n = grams.shape[1]
    gain, liking = np.zeros((2, n, n))
    for a in range(n):
        for b in range(n):
            if a != b:
                pairs = [minor_eigenvalues(gram, a, b) for gram in grams]
                gain[a, b] = sum(large - small for small, large in pairs)
                squares = grams[:, [a, b], [a, b]].real.sum(0)
                liking[a, b] = -2 * sum(small for small, _ in pairs) / min(squares)
    return gain, liking


def split_loss(block, halves, pairs):
    """Return what rank one in each half and pair of columns loses, squared."""
    blocks = [block[np.ix_(half, pair)] for half in halves for pair in pairs]
    lost = [np.linalg.svd(part, compute_uv=False)[1:] for part in blocks]
    return sum(np.sum(sigma**2) for sigma in lost)


def half_gain(block, half, pairs):
    """Return what each row adds to the gain in half 1 more than in half 0, halved."""
    gains = []
    for i, row in enumerate(block):
        kept = []
        for h in (0, 1):
            others = block[[k for k in np.flatnonzero(half == h) if k != i]]
            kept.append(_top(np.vstack([others, row]), pairs) - _top(others, pairs))
        gains.append(kept[1] - kept[0])
    return np.array(gains)


def _top(rows, pairs):
    """Return the sum of the larger eigenvalues of pairs of columns."""
    gram = rows.conj().T @ rows
    return sum(minor_eigenvalues(gram, a, b)[1] for a, b in pairs)


# --------------------------------------------------------------------------------------
# Clusters
# --------------------------------------------------------------------------------------


def nearest_rows(matrix, bias, x):
    """Return the row with the smallest bias - 2 <row, x>, the first, and that."""
    values = bias - 2 * x @ matrix.T
    return values.argmin(axis=1), values.min(axis=1)


def cluster_sums(x, labels, weights, origin, n_clusters):
    """Return the sums of the points, of the weights, and of the squared norms."""
    sums, counts, energies = (np.zeros((n_clusters, *s)) for s in (x.shape[1:], (), ()))
    for point, label, weight in zip(x - origin, labels, weights, strict=True):
        sums[label] += weight * point
        counts[label] += weight
        energies[label] += weight * point @ point
    return sums, counts, energies


def nearest_centers(x, centers):
    """Return the nearest center of each point, and the sum of squared distances."""
    squares = ((x.astype(np.float64)[:, None] - centers) ** 2).sum(axis=2)
    return squares.argmin(axis=1), squares.min(axis=1).sum()
