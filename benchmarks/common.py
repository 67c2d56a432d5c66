"""What the benchmark classes share: parameters and setup, from the registry."""

import math

import numpy as np

from nbfact.bench.case import Case
from nbfact.bench.cases import registry

CASES = registry("pr")  # without peers: parameters must not change with what is there


def parameters(group: str, ours: bool = False) -> dict[str, list]:
    """Return the values of each parameter in a group of cases, `impl` last.

    Where parameters go together (500 rows with these sets, 32 with those) asv's product
    of them all would be mostly empty: there is one parameter then, `task`.
    """
    cases = [
        case
        for case in CASES
        if case.group == group and (not ours or case.impl.startswith("nbfact"))
    ]
    values = {name: [case.params[name] for case in cases] for name in cases[0].params}
    values = {name: list(dict.fromkeys(column)) for name, column in values.items()}
    tasks = list(dict.fromkeys(case.task for case in cases))
    if len(tasks) < math.prod(map(len, values.values())):
        values = {"task": tasks}
    values["impl"] = list(dict.fromkeys(case.impl for case in cases))
    return values


def find(group: str, **params) -> Case:
    """Return the case with these parameters; NotImplementedError makes asv skip."""
    impl = params.pop("impl")
    for case in CASES:
        if (case.group, case.impl) == (group, impl) and params in (
            case.params,
            {"task": case.task},
        ):
            return case
    raise NotImplementedError(f"no case {group} {params} [{impl}]")


class Setup:
    """Prepare one case, check its result, and leave it warm as ``self.call``."""

    group: str
    ours = False  # whether to leave out the implementations of others
    param_names: list[str]
    version = "1"  # bump when what is timed changes: asv then drops old results

    def __init_subclass__(cls):
        if hasattr(cls, "group"):
            values = parameters(cls.group, cls.ours)
            cls.param_names, cls.params = list(values), list(values.values())

    def setup(self, *values):
        self.case = find(self.group, **dict(zip(self.param_names, values, strict=True)))
        self.inputs = self.case.make(np.random.default_rng(0))
        self.call = self.case.prepare(self.inputs)
        want = self.case.reference(self.inputs)
        self.error = self.case.error(self.call(), want)
        if self.error > self.case.bound:
            raise ValueError(
                f"{self.case.name}: error {self.error:.2e}, bound {self.case.bound:.2e}"
            )

    def floored_error(self):
        """Return the error, four units in the last place at least.

        Below that, changes are rounding's, and asv would report them as regressions.
        """
        eps = np.finfo(self.case.params["dtype"]).eps
        return float(f"{max(self.error, 4 * float(eps)):.3g}")
