"""Butterfly factorization in closed form: split by split, without iterating.

Start reading in ``butterfly_factorize``; then read ``ways``, then ``splits``.

=======================  ==========================================================
``butterfly_factorize``  the public function: checks the target and the options, and
                         factors by the model that is asked for
``ways``                 which chains and permutations are tried, and in which order
``split_problem``        tries the ways on a scaled target, and keeps the best one
``splits``               factors one matrix in one chain, by one split after another
``kernel_splits``        all splits of blocks of two rows and rank one, by a kernel
``split_factors``        what splits find
``part_blocks``          the index arithmetic of a split: a part as blocks, and back
``butterfly_result``     what `butterfly_factorize` returns
``chain_graph``          every chain within a budget, cheapest first: `chains`
``chain_search``         the best chain for one matrix (``chain="search"``)
``fits``                 the transform that has no construction as a butterfly and
                         is factored from its matrix: `legendre`
=======================  ==========================================================
"""
