"""A script with mistakes, each of which `test_types.py` expects mypy to report."""

import numpy as np

import nbfact as nf

nf.constraints.SkPerm((16, 16), 8, columns=2)  # expected: call-arg
nf.constraints.Sp((16, 16), "8")  # expected: arg-type
nf.palm4msa(np.eye(4), [np.eye(4)])  # expected: list-item
nf.transforms.dct(8).to_array()  # expected: attr-defined
nf.QuicKMeans(clusters=4)  # expected: call-arg
nf.targets.hadamard(8).to_factors()  # expected: attr-defined
nf.targets.planted(8, 2, 2, return_factors=True).size()  # expected: attr-defined
nf.kernels.fwht()  # expected: call-arg
