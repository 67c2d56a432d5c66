"""Sparse matrices of every format whose indices are damaged after they are made."""

import numpy as np
import scipy.sparse as sp

MATRIX = np.array([[0, 1, 0, 2], [3, 0, 0, 0], [0, 0, 4, 0], [5, 0, 0, 6.0]])


def corrupt_matrices():
    """Return damaged 4 x 4 matrices by what is wrong with each."""
    return dict(_compressed() | _others())


def _compressed():
    """Return damaged CSR, CSC and BSR matrices."""
    found = {}
    for kind in (sp.csr_array, sp.csc_array, sp.csr_matrix):
        for name, part, place, value in (
            ("index beyond", "indices", 1, 10**9),
            ("index negative", "indices", 1, -1),
            ("pointer beyond", "indptr", -1, 10**6),
            ("pointers decrease", "indptr", 1, 10**6),
            ("pointer negative", "indptr", 0, -3),
        ):
            matrix = kind(MATRIX)
            getattr(matrix, part)[place] = value
            found[f"{kind.__name__}: {name}"] = matrix
        matrix = kind(MATRIX)
        matrix.data = matrix.data[:2]
        found[f"{kind.__name__}: less data"] = matrix
        matrix = kind(MATRIX)
        matrix.indptr = matrix.indptr[:2]
        found[f"{kind.__name__}: less pointers"] = matrix
    for name, place, value in (("beyond", 0, 2), ("negative", 0, -1)):
        matrix = sp.bsr_array(MATRIX, blocksize=(2, 2))
        matrix.indices[place] = value
        found[f"bsr: index {name}"] = matrix
    matrix = sp.bsr_array(MATRIX, blocksize=(2, 2))
    matrix.data = matrix.data[:1]
    found["bsr: less data"] = matrix
    return found


def _others():
    """Return damaged COO, DIA, LIL and DOK matrices."""
    found = {}
    for name, value in (("beyond", 10**9), ("negative", -1)):
        matrix = sp.coo_array(MATRIX)
        matrix.row[0] = value
        found[f"coo: index {name}"] = matrix
        matrix = sp.lil_array(MATRIX)
        matrix.rows[0] = [1, value]
        found[f"lil: index {name}"] = matrix
        matrix = sp.dok_array(MATRIX)
        dict.__setitem__(getattr(matrix, "_dict", matrix), (value, 0), 1.0)
        found[f"dok: index {name}"] = matrix
    matrix = sp.coo_array(MATRIX)
    matrix.data = matrix.data[:2]
    found["coo: less data"] = matrix
    matrix = sp.dia_array(MATRIX)
    matrix.offsets = matrix.offsets[:2]
    found["dia: less offsets"] = matrix
    matrix = sp.lil_array(MATRIX)
    matrix.rows[0] = [1]
    found["lil: less indices"] = matrix
    return found
