"""Butterflies whose rows and columns were permuted: finding the permutations.

Start reading in ``identify``; then read ``nests``, then ``bipartition``.

======================  ===========================================================
``identify``            the public function `identify_butterfly`, and its result
``permutation_search``  starts and passes over all levels; keeps the best nest found
``nests``               splits all levels of a matrix, from the whole to single entries
``bipartition``         splits one level: rows in two halves, columns in pairs
``line_starts``         the halves that the search of one level begins with
``level_split``         a split of one level, and the linear algebra of its lines
======================  ===========================================================

A *level* is one factor of the butterfly. A *nest* holds the splits of all levels, where
each block of a level is split again at the next one.
"""
