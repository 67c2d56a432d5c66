"""Families of structures that `learn_transform` recognises, one file each.

=======================  ==========================================================
``family_registry.py``   the list of families; a new one is a file and a line there
``family.py``            what a family is, and what it is given
``named_family.py``      transforms that have a name
``transform_matching``   permutations, signs and scalings of rows and columns
``key_matching.py``      the same, where few moduli are different
``convolutions.py``      circulant, Toeplitz and Hankel matrices
``low_rank.py``          two dense factors
``chain_family.py``      products of Kronecker-sparse factors in any chain
``sparse_low_rank.py``   a sparse matrix and one of low rank, added
``permuted_family.py``   butterflies with permutations that are not known
``sums.py``              two products of Kronecker-sparse factors, added
``kronecker_sums.py``    two or three Kronecker products, added
=======================  ==========================================================
"""
