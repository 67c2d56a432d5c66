"""Products with fast operators: time, error, and time against the dense product."""

from nbfact.bench.case import DENSE
from nbfact.bench.sample import interleave

from . import common


class _Time(common.Setup):
    def time_product(self, *_):
        self.call()


class _Error(common.Setup):
    ours = True

    def track_rel_error(self, *_):
        return self.floored_error()

    track_rel_error.unit = "relative error"


class _Track(_Error):
    def track_ratio_to_dense(self, *values):
        sizes = dict(zip(self.param_names, values, strict=True))
        dense = common.find(self.group, **{**sizes, "impl": DENSE})
        calls = {"ours": self.call, "dense": dense.prepare(self.inputs)}
        times = interleave(calls, budget=0.3)
        # With samples asv computes a median and an interval, as for times.
        ratios = times["ours"] / times["dense"]
        return {"samples": [float(f"{r:.3g}") for r in ratios], "number": 1}

    track_ratio_to_dense.unit = "x dense time"


class Hadamard(_Time):
    group = "hadamard"


class HadamardOurs(_Track):
    group = "hadamard"


class Fwht(_Time):
    group = "fwht"


class FwhtOurs(_Error):
    group = "fwht"


class Butterfly(_Time):
    group = "butterfly"


class ButterflyOurs(_Track):
    group = "butterfly"


class Dft(_Time):
    group = "dft"


class DftOurs(_Track):
    group = "dft"


class Planted(_Time):
    group = "planted"


class PlantedOurs(_Track):
    group = "planted"
