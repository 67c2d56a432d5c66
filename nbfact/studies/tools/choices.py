"""Choices that several studies share: extend one here, and every study follows."""

from ...algorithms import rectmat, rectmat_simple

FIRST_SEED = 1000
"""Smallest seed of a study that judges. Parameters were tuned on seeds below it, here
and in the rest of the package, so that no study judges on what it was tuned on."""

SCALINGS = ("sweep", "factor", "balanced")
"""Values of the option ``scaling`` of `palm4msa` and `hierarchical`: when the scale λ
is fitted."""

PRESETS = ("hadamard", "hadamard_skperm", "hadamard_simple")
"""Presets for the Hadamard matrix that both nbfact's and pyfaust's ``hierarchical``
know."""

RECTMATS = {"rectmat": rectmat, "rectmat_simple": rectmat_simple}
"""Presets for wide matrices, by name: each is a function of (j, k, s)."""
