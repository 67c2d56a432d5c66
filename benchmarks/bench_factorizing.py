"""Factorizing: projections, sweeps, presets, the time and memory they take."""

import tracemalloc

from . import common


class _Step(common.Setup):
    def time_step(self, *_):
        self.call()

    def track_rel_error(self, *_):
        return self.floored_error()

    track_rel_error.unit = "relative error"


class ProjectSp(_Step):
    group = "project_sp"


class ProjectSplin(_Step):
    group = "project_splin"


class ProjectSpcol(_Step):
    group = "project_spcol"


class ProjectSplincol(_Step):
    group = "project_splincol"


class ProjectSkperm(_Step):
    group = "project_skperm"


class _Palm(_Step):
    """Time, error of approximation, and memory of factorizing a matrix."""

    def track_peak_bytes(self, *_):
        """Return the most bytes of arrays that one call holds at once.

        Not asv's ``peakmem_``, which is that of the process: mostly LLVM compiling.
        """
        tracemalloc.start()
        try:
            self.call()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    track_peak_bytes.unit = "bytes"


class PalmSweeps(_Palm):
    group = "palm4msa sweeps"


class PalmShapes(_Palm):
    group = "palm4msa shapes"


class PalmHierarchical(_Palm):
    group = "palm4msa hierarchical"


class PalmRectmat(_Palm):
    group = "palm4msa rectmat"


class ButterflyFactorize(_Palm):
    """Closed-form splits of a dense matrix into a dyadic butterfly."""

    group = "butterfly factorize"


class ButterflyLearned(_Palm):
    """Gradient descent beside the closed form, on matrices that both find."""

    group = "butterfly learned"


class PalmToAnError(_Step):
    """Time until a given error; one that does not reach it fails in its setup."""

    group = "palm4msa to an error"
