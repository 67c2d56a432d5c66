"""What studies vary, in one place: extend these, and every study follows."""

from ...algorithms import rectmat, rectmat_simple

SCALINGS = ("sweep", "factor", "balanced")
"""Of `palm4msa` and `hierarchical`: how the scale is treated."""

PRESETS = ("hadamard", "hadamard_skperm", "hadamard_simple")
"""Of `hierarchical`, and of pyfaust's, for the Hadamard matrix."""

RECTMATS = {"rectmat": rectmat, "rectmat_simple": rectmat_simple}
"""Functions of (j, k, s) that return a preset for wide matrices."""
