"""The fuzzer: every public callable has an entry, and a smoke set finds no fault.

``python -m tests.fuzz`` runs thousands of cases; CONTRIBUTING.md describes it.
"""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzz import campaign, command, mishaps, surface
from fuzz.cases import ENTRIES, called, without
from fuzz.runner import Reply, Runner
from samples import LATER

ROOT = Path(__file__).parents[1]
EACH = 3
"""Number of cases of each entry in the smoke set."""

ROOMS = {
    "sets": r"constraints\.",
    "operators": r"FastOperator|operators\.|FactorProduct",
    "butterflies": r"Butterfly|Chain",
    "transforms": r"transforms\.",
    "targets": r"targets\.",
    "algorithms": r"[a-z0-9_]+$|presets\.",
    "others": "",
}
"""The first pattern that a name begins with is its room."""


def room(name):
    return next(key for key, pattern in ROOMS.items() if re.match(pattern, name))


@pytest.fixture(scope="module")
def runner():
    """Yield a child that runs cases, with interpreted kernels."""
    with Runner("fuzz.judge:judged") as runner:
        yield runner


def test_every_public_callable_has_an_entry():
    missing = [names for names in surface.wanted() if not set(names) & set(ENTRIES)]
    assert not missing, f"no entry of the fuzzer: {missing}"


def test_every_entry_is_public():
    known = {name for names in surface.wanted() for name in names}
    assert sorted(set(ENTRIES) - known) == []


@pytest.mark.parametrize(
    "which",
    [
        pytest.param(
            name, marks=pytest.mark.slow if name in ("sets", "algorithms") else LATER
        )
        for name in ROOMS
    ],
)
def test_a_few_cases_of_every_callable_have_the_right_outcome(which, runner):
    names = [name for name in sorted(ENTRIES) if room(name) == which]
    assert names
    counts = campaign.campaign(names, EACH, 0, runner)
    assert not counts.faults, "\n".join(map(str, counts.faults))
    assert not counts.unnamed, "\n".join(map(str, counts.unnamed))
    assert counts.total > len(names)


def test_cases_in_double_precision_are_those_without_other_dtypes():
    cases = campaign.drawn("constraints.Sp.project", 20, 0, double=True)
    assert len(cases) == 20
    assert not [c for c in cases if "float32" in c.line or "complex" in c.line]


def test_the_same_seed_draws_the_same_cases():
    draw = [
        [case.line for case in campaign.drawn("transforms.dct", 20, seed)]
        for seed in (0, 0, 1)
    ]
    assert draw[0] == draw[1] != draw[2]
    assert len(set(draw[0])) == 20


def test_a_child_that_is_lost_is_replaced():
    with Runner("fuzz.children:called", variables={"MORE": "1"}) as runner:
        assert runner.call("print", 60).value == ["print", "1"]
        reply = runner.call("abort", 60)
        assert (reply.status, reply.detail[:7]) == ("crash", "SIGABRT")
        assert runner.call("leave", 60).detail.startswith("exit status 3")
        assert runner.call("hang", 0.2).status == "hang"
        assert runner.call([1], 60).value == [[1], "1"]
        assert runner.started == 4


@pytest.mark.parametrize(
    ("mode", "verdict", "kind", "outcome"),
    [
        ("right", "good", "plain", "right"),
        ("right", "odd", "plain", "right"),
        ("right", "bad", "plain", "accepted"),
        ("wrong", "odd", "plain", "wrong"),
        ("infinite", "good", "plain", "wrong"),
        ("matrix", "good", "plain", "wrong"),
        ("mutate", "good", "plain", "mutated"),
        ("warn", "good", "plain", "warning"),
        ("named", "good", "plain", "refused valid"),
        ("named", "bad", "plain", "refused"),
        ("unnamed", "bad", "plain", "unnamed"),
        ("key", "bad", "plain", "exception"),
        ("memory", "odd", "plain", "exception"),
        ("memory", "odd", "huge", "refused"),
    ],
)
def test_the_judge_sees_what_is_wrong(mode, verdict, kind, outcome):
    with np.errstate(all="ignore"):
        assert mishaps.outcome(mode, verdict, kind) == outcome


def test_a_call_is_written_with_the_arguments_that_are_there():
    template, pools = called(
        "{self}.run", {"self": 1, "x": 2, "out": 3}, positional="x"
    )
    assert template == "{self}.run({x}, out={out})" and len(pools) == 3
    assert without(template, "out") == "{self}.run({x})"
    assert without("f(a={a}, b={b})", "a") == "f(b={b})"
    assert without("f(a={a})", "a") == "f()"


def test_faults_are_counted_by_callable_and_by_kind():
    counts, names = campaign.Counts(), ("transforms.haar", "transforms.slant")
    cases = [case for name in names for case in campaign.drawn(name, 4, 0)]
    lost = Reply("crash", None, "SIGSEGV")
    for case in cases[:-1]:
        counts.add(case, lost)
    value = {"outcome": "unnamed", "detail": "no name", "seconds": 0.5}
    counts.add(cases[-1], Reply("done", value))
    assert (counts.total, len(counts.faults), len(counts.unnamed)) == (8, 7, 1)
    first = campaign.grouped(counts.faults)[0][0]
    assert str(first) == f"crash: {first.case.line}\n    SIGSEGV"
    lines = campaign.table(counts.by_entry, "callable").splitlines()
    assert [line.split() for line in lines] == [
        ["callable", "cases", "crash", "unnamed"],
        ["transforms.haar", "4", "4", "."],
        ["transforms.slant", "4", "3", "1"],
        ["all", "8", "7", "1"],
    ]


@pytest.mark.parametrize("status", [0, 1])
def test_the_command_prints_its_tables_and_fails_for_faults(
    status, capsys, monkeypatch
):
    counts = campaign.Counts()
    for case in campaign.drawn("transforms.haar", 2, 0):
        value = {"outcome": "right", "detail": "", "seconds": 0.5}
        reply = Reply("hang") if status else Reply("done", value)
        counts.add(case, reply)
    monkeypatch.setattr(command, "campaign", lambda *args, **options: counts)
    assert command.main(["--only", "transforms.haar", "--bounds"]) == status
    out = capsys.readouterr().out
    assert "2 cases of 1 callables" in out and ("hang:" in out) == bool(status)


def test_the_command_needs_an_entry(capsys):
    with pytest.raises(SystemExit):
        command.main(["--only", "nonsense"])
    assert "no entry has nonsense in its name" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_runs_from_the_root():
    line = [sys.executable, "-m", "tests.fuzz", "--each", "1", "--only", "Chain.T"]
    found = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "1 cases of 1 callables" in found.stdout
