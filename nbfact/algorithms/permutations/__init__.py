"""Chains whose rows and columns were permuted: finding the permutations.

Start reading in ``identify``; then read ``nests``, then ``partition``.

======================  ===========================================================
``identify``            the public function `identify_butterfly`, and its result
``permutation_search``  starts and passes over all levels; keeps the best nest found
``nests``               splits all levels of a matrix, from the whole to single entries
``partition``           splits one level: rows in b parts, columns in groups of c
``column_groups``       the groups that it begins with
``angle_starts``        the parts that the search of one level begins with
``bipartition``         the same for two halves and pairs, with kernels
``line_starts``         the halves that it begins with
``rank_levels``         the levels of a chain with blocks of any rank
``space_partition``     ``partition`` for blocks of a rank above one
``space_groups``        the groups of columns that it makes for given parts
``space_starts``        the parts that it begins with
``split_radices``       the numbers b and c of all levels, and the argument `chain`
``radix_search``        looks for them within a number of values
``level_split``         a split of one level, and the linear algebra of its lines
======================  ===========================================================

A *level* is one factor of the chain. A *nest* holds the splits of all levels, where
each block of a level is split again at the next one.
"""
