"""Gradient descent on the values of a butterfly, after Dao et al. (2019).

Start reading in ``learn_butterfly``; then read ``trials``, then ``objectives``, then
``twiddles``.

=======================  ==========================================================
``learn_butterfly``      the public function: checks, scales the target, returns the
                         operator and its errors
``descent_options``      the options of a call, checked
``trials``               random starts, trained and compared: Adam, successive halving,
                         rounding of relaxed permutations, L-BFGS
``objectives``           squared errors of butterflies, and their gradients
``permutation_choices``  the permutations that are given by name or searched among
``twiddles``             operators from the learned 2 × 2 blocks
=======================  ==========================================================

A *twiddle* holds the values of a butterfly: the 2 × 2 blocks of all its levels.
"""
