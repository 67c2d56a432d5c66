"""The registry of families: what `learn_transform` looks for, in this order.

A new family is a file with a `Family`, and a line here.
"""

from .block_products import BLOCK_PRODUCTS
from .chain_family import CHAINS
from .coded_products import CODED_PRODUCTS
from .convolutions import CONVOLUTIONS
from .low_rank import LOW_RANK
from .named_family import NAMED
from .permuted_family import PERMUTED
from .sparse_low_rank import SPARSE_LOW_RANK
from .sums import SUMS

PRODUCTS = "sparse products"
"""The family of products of free sparse factors, which `BudgetSearch` explores."""

FAMILIES = (
    NAMED,
    CONVOLUTIONS,
    LOW_RANK,
    CODED_PRODUCTS,
    CHAINS,
    SPARSE_LOW_RANK,
    PERMUTED,
    SUMS,
    BLOCK_PRODUCTS,
)
"""All families but that of free sparse factors, those that cost little first."""

IN_BLOCKS = BLOCK_PRODUCTS.name
"""The family that is tried by default only where the time of a vector is the budget."""

NAMES = (*(family.name for family in FAMILIES), PRODUCTS)
"""The names of all families, as in the argument `families`."""
