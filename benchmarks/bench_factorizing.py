"""What factorizing is made of: projections, one sweep of PALM."""

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


class PalmSweep(_Step):
    group = "palm4msa_5_sweeps"
