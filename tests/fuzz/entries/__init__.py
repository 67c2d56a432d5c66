"""One entry for each public callable, in a module for each room."""

from . import constraint_sets as constraint_sets
from . import fast_operators as fast_operators
from . import measures as measures
from . import named_transforms as named_transforms
from . import target_matrices as target_matrices
