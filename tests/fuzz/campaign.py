"""Draw the cases of entries by a seed, run them, and count their outcomes."""

import collections
import contextlib
import random
import re
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from .cases import ENTRIES, Case
from .pools import drawn_case

RIGHT = ("right", "refused")
COUNTED = ("unnamed",)
"""Outcomes that are counted, not faults by themselves: the command fails when there are
more than `UNNAMED` of them."""
UNNAMED = 10


SINGLE_OR_COMPLEX = re.compile(r"float32|complex|dft|\dj")
"""What the lines of cases hold that need kernels for other dtypes than float64."""


@dataclass
class Fault:
    """A case whose outcome is a fault."""

    case: Case
    outcome: str
    detail: str

    def __str__(self) -> str:
        return f"{self.outcome}: {self.case.line}\n    {self.detail}"


@dataclass
class Counts:
    """How many cases had which outcome, by entry and by kind, with the faults."""

    by_entry: dict = field(
        default_factory=lambda: collections.defaultdict(collections.Counter)
    )
    by_kind: dict = field(
        default_factory=lambda: collections.defaultdict(collections.Counter)
    )
    faults: list = field(default_factory=list)
    unnamed: list = field(default_factory=list)
    seconds: collections.Counter = field(default_factory=collections.Counter)

    def add(self, case, reply):
        """Count the reply of a case."""
        if reply.status == "done":
            outcome, detail = reply.value["outcome"], reply.value["detail"]
            self.seconds[case.entry] += reply.value["seconds"]
        else:
            outcome, detail = reply.status, reply.detail
        self.by_entry[case.entry][outcome] += 1
        self.by_kind[case.kind][outcome] += 1
        fault = Fault(case, outcome, detail)
        if outcome in COUNTED:
            self.unnamed.append(fault)
        elif outcome not in RIGHT:
            self.faults.append(fault)

    @property
    def total(self):
        """Number of cases."""
        return sum(sum(counter.values()) for counter in self.by_entry.values())


MORE = 4
"""Number of cases that are drawn besides those that are run, because Hypothesis begins
with the simplest ones."""


class EnoughCases(Exception):
    """Ends the drawing of cases."""


@st.composite
def _cases(draw, entry):
    return drawn_case(draw, entry)


def drawn(name, count, seed_, *, double=False):
    """Return up to `count` different cases of an entry; the same ones for a seed.

    With `double` they are those in float64, so that kernels are compiled once.
    """
    found = {}

    @seed(f"{seed_} {name}")
    @settings(
        max_examples=5 * count,
        verbosity=Verbosity.quiet,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(_cases(ENTRIES[name]))
    def collect(case):
        if double and SINGLE_OR_COMPLEX.search(case.line):
            return
        found.setdefault(case.line, case)
        if len(found) == count + MORE:
            raise EnoughCases

    with contextlib.suppress(EnoughCases):
        collect()
    cases = list(found.values())
    random.Random(f"{seed_} {name}").shuffle(cases)  # the first ones are the simplest
    return cases[:count]


def campaign(names, per_entry, seed_, runner, *, timeout=60.0, double=False):
    """Run the cases of entries and return the `Counts`.

    Parameters
    ----------
    names : iterable of str
        Names of entries.
    per_entry : int
        Number of cases of each.
    seed_ : int
        The same seed draws the same cases.
    runner : Runner
        Of ``"fuzz.judge:judged"``.
    timeout : float
        Seconds after which a case hangs.
    double : bool
        Whether to draw cases in float64 alone.
    """
    counts = Counts()
    for name in names:
        for case in drawn(name, per_entry, seed_, double=double):
            counts.add(case, runner.call(case.as_json(), timeout))
    return counts


def grouped(faults):
    """Return lists of the faults that probably have one cause, with the shortest first.

    They are those of one entry with the same outcome, argument and kind of value.
    """
    groups = collections.defaultdict(list)
    for fault in faults:
        case = fault.case
        groups[case.entry, fault.outcome, case.culprit, case.kind].append(fault)
    return [sorted(group, key=lambda f: len(f.case.line)) for group in groups.values()]


def table(by_name, title):
    """Return the outcomes as a table of text, one row a name."""
    outcomes = sorted(
        {one for counter in by_name.values() for one in counter},
        key=lambda o: (o not in RIGHT, o),
    )
    width = max(len(name) for name in [title, "all", *by_name])
    rows = [
        f"{title:<{width}} {'cases':>6} "
        + " ".join(f"{o:>{max(len(o), 6)}}" for o in outcomes)
    ]
    total = collections.Counter()
    for name, counter in sorted(by_name.items()):
        total.update(counter)
        rows.append(_row(name, counter, outcomes, width))
    return "\n".join([*rows, _row("all", total, outcomes, width)])


def _row(name, counter, outcomes, width):
    numbers = " ".join(f"{counter[o] or '.':>{max(len(o), 6)}}" for o in outcomes)
    return f"{name:<{width}} {sum(counter.values()):>6} {numbers}"
