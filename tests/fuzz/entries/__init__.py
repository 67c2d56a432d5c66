"""One entry for each public callable, in a module for each room."""

from . import algorithms as algorithms
from . import arrangements as arrangements
from . import butterflies as butterflies
from . import constraint_members as constraint_members
from . import constraint_sets as constraint_sets
from . import constructors as constructors
from . import estimators as estimators
from . import fast_dictionaries as fast_dictionaries
from . import fast_operators as fast_operators
from . import files as files
from . import measures as measures
from . import named_transforms as named_transforms
from . import neighbor_searches as neighbor_searches
from . import operator_algebra as operator_algebra
from . import patterns as patterns
from . import planted_targets as planted_targets
from . import sparse_codes as sparse_codes
from . import structured_algorithms as structured_algorithms
from . import target_matrices as target_matrices
