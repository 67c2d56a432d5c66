"""The fuzzer: every public callable has an entry, and a smoke set finds no fault.

``python -m tests.fuzz`` runs thousands of cases; CONTRIBUTING.md describes it.
"""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzz import campaign, command, judge, mishaps, surface
from fuzz.cases import ENTRIES, Entry, called, without
from fuzz.known import KNOWN
from fuzz.runner import Runner

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


@pytest.mark.parametrize("which", ROOMS)
def test_a_few_cases_of_every_callable_have_the_right_outcome(which, runner):
    names = [name for name in sorted(ENTRIES) if room(name) == which]
    assert names
    counts = campaign.campaign(names, EACH, 0, runner)
    found = [one for one in [*counts.faults, *counts.unnamed] if not one.matches(KNOWN)]
    assert not found, "\n".join(map(str, found))
    assert counts.total > len(names)


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


def test_the_command_prints_tables_and_fails_for_faults(capsys, monkeypatch):
    assert command.main(["--each", "2", "--only", "transforms.hadamard"]) == 0
    out = capsys.readouterr().out
    assert "transforms.hadamard" in out and "2 cases of 1 callables" in out
    broken = ENTRIES["transforms.hadamard"]
    broken = Entry(broken.name, broken.recipe, broken.check, words=("n",))
    assert broken.name in judge.ENTRIES
    counts = campaign.Counts()
    case = campaign.drawn("transforms.hadamard", 1, 0)[0]
    counts.add(case, campaign.Reply("crash", None, "SIGSEGV"))
    assert counts.faults[0].outcome == "crash"
    assert "crash" in campaign.table(counts.by_entry, "callable")


def test_the_command_runs_from_the_root():
    line = [sys.executable, "-m", "tests.fuzz", "--help"]
    found = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--seed" in found.stdout
