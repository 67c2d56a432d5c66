"""What factorizing is made of: projections, one sweep of PALM."""

from . import common


class _Step(common.Setup):
    def time_step(self, *_):
        self.call()

    def track_rel_error(self, *_):
        return self.floored_error()

    track_rel_error.unit = "relative error"


def _parameters(group):
    values = common.parameters(group)
    return list(values), list(values.values())


class ProjectSp(_Step):
    group = "project_sp"
    param_names, params = _parameters(group)


class ProjectSplin(_Step):
    group = "project_splin"
    param_names, params = _parameters(group)


class ProjectSpcol(_Step):
    group = "project_spcol"
    param_names, params = _parameters(group)


class ProjectSplincol(_Step):
    group = "project_splincol"
    param_names, params = _parameters(group)


class ProjectSkperm(_Step):
    group = "project_skperm"
    param_names, params = _parameters(group)


class PalmSweep(_Step):
    group = "palm4msa_5_sweeps"
    param_names, params = _parameters(group)
