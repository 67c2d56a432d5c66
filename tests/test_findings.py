"""What speaks against a version beside its CPU time, from rows that are made up."""

import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nbfact.harness import allocations, case_module
from nbfact.harness.case import Case
from nbfact.harness.project import Project
from nbfact.harness.versions import (
    alongside,
    findings,
    replay,
    sampling,
    sharing,
    variation,
    verdicts,
    waivers,
)

ROLES = ("base", "ctrl", "head")
CASE = {"bound": 1e-6}


def memory(**changed):
    usual = {"count": 7, "peak": 10_000, "resident": 1 << 20}
    usual |= {"kept": 0, "blocks_kept": 0}
    return {"allocations": usual | changed}


def replayed(**changed):
    usual = {"error": 1e-16, "late": 1e-16, "follows": True}
    return usual | {"first": 0.03, "again": 0.03} | changed


def check(head=None):
    """Return a row of what does not vary, in which the head differs from the base."""
    one = {
        "error": 1e-16,
        "repeats": True,
        **memory(),
        "replay": replayed(),
        "bits": "a",
    }
    two = {**one, **(head or {})}
    rows = {"base": one, "ctrl": one, "head": two}
    return {key: {role: rows[role][key] for role in ROLES} for key in one}


def times(head=None, walls=(0.0, 0.0), n=8):
    """Return rows of times; `walls` are the log-ratios of the control and the head."""
    one = {"first": (0.1, 0.1), "bits": "a", "logs": 0.0}
    two = {**one, **(head or {})}
    rows = {"base": one, "ctrl": one, "head": two}
    row = {key: {role: rows[role][key] for role in ROLES} for key in one}
    row["walls"] = {"base": 0.0, "ctrl": walls[0], "head": walls[1]}
    return [row] * n


def found(checked=None, timed=None, **options):
    return findings.of_batch(check(checked), times(timed, **options), CASE, 2e-16)


def test_equal_versions_give_no_finding():
    assert found() == {}


@pytest.mark.parametrize(
    ("head", "metric", "word"),
    [
        ({"error": 5e-15}, "error", "less accurate"),
        ({"error": None}, "error", "less accurate"),
        ({"repeats": False}, "repeats", "not repeatable"),
        ({"bits": "b", "repeats": False}, "repeats", "not repeatable"),
        (memory(count=262), "memory", verdicts.HEAVIER),
        (memory(peak=60_000), "memory", verdicts.HEAVIER),
        (memory(resident=6 << 20), "memory", verdicts.HEAVIER),
        (memory(kept=1600), "memory", verdicts.HEAVIER),
        (memory(blocks_kept=1), "memory", verdicts.HEAVIER),
        ({"replay": replayed(error=0.5)}, "replay", "less accurate"),
        ({"replay": replayed(late=0.5)}, "replay", "less accurate"),
        ({"replay": replayed(follows=False)}, "replay", "less accurate"),
        ({"replay": replayed(again=1e-6)}, "replay", "suspicious"),
    ],
)
def test_what_does_not_vary_is_judged_head_against_base(head, metric, word):
    made = found(head)
    assert list(made) == [metric]
    assert made[metric][0] == word and made[metric][1]


@pytest.mark.parametrize(
    "head",
    [
        {"error": 4e-16},
        memory(count=9, peak=14_000, resident=None, kept=400),
        {"replay": replayed(error=2e-16, first=0.04)},
        {"replay": replayed(late=2e-16, first=5e-6, again=1e-6)},  # it is short
        {"replay": None},
        {"bits": "b"},  # other bits than the base, the same in every process
    ],
)
def test_what_sums_in_another_order_or_is_small_is_no_finding(head):
    assert found(head, {"bits": head["bits"]} if "bits" in head else None) == {}


def test_results_that_differ_between_processes_count_where_those_of_the_base_do_not():
    checked, rows = check(), times()
    other = {**rows[0], "bits": {**rows[0]["bits"], "head": "b"}}
    made = findings.of_batch(checked, [*rows[1:], other], CASE, 2e-16)
    assert made["repeats"] == (
        "not repeatable",
        "equal inputs give results that differ between processes",
    )
    other["bits"] = {"base": "a", "ctrl": "c", "head": "b"}
    assert findings.of_batch(checked, [*rows[1:], other], CASE, 2e-16) == {}


def test_waiting_is_seen_by_the_wall_clock_alone():
    assert found(walls=(0.01, 0.9))["wall"][0] == verdicts.SLOWER
    rows = [*times(walls=(0.05, 0.6), n=7), *times(walls=(-0.1, 0.11), n=1)]
    assert findings.of_batch(check(), rows, CASE, 2e-16)["wall"][0] == verdicts.SLOWER
    assert found(walls=(0.01, 0.08)) == {}  # a busy machine
    assert found(walls=(0.5, 0.9)) == {}  # a very busy machine
    assert found({}, {"logs": 0.9}, walls=(0.01, 0.9)) == {}  # the CPU clock decides


@pytest.mark.parametrize("pair", [(2.1, 2.1), (0.1, 2.1), (0.4, 0.4)])
def test_a_first_call_that_takes_longer_is_a_finding(pair):
    made = found(None, {"first": pair})
    assert made["first call"][0] == verdicts.LATER
    assert found(None, {"first": (0.28, 0.29)}) == {}
    slow = {"base": [(0.2, 0.3)], "ctrl": [(0.2, 0.2)], "head": [(0.25, 0.55)]}
    assert findings.imports(slow)["import"][1].startswith("import 0.55 s on the wall")
    assert findings.imports({**slow, "head": [(0.25, 0.3)]}) == {}
    assert findings.compiled(3.0, 5.3)["compile"][0] == verdicts.LATER


def test_a_finding_counts_once_fresh_processes_confirm_it():
    one = {"memory": ("more memory", "1")}
    assert findings.open_([one]) and not findings.confirmed([one])
    assert not findings.open_([one, {}]) and not findings.confirmed([one, {}])
    assert findings.confirmed([{}, one, one]) == one
    assert findings.open_([{}, one])


def make_case(call):
    return Case(
        "g",
        "nbfact",
        {"n": 400, "dtype": "float64"},
        lambda rng: rng.standard_normal(400),
        lambda x: lambda: call(x),
        lambda x: np.sort(x),
        1e-6,
        size=0,
        flops=0,
        nnz=None,
    )


def replay_of(case, call=None):
    """Return what the calls of a case come to with other values, and its inputs."""
    x = case.make(np.random.default_rng(0))
    prepared = case.prepare(x)
    bits = sharing.bits_of(prepared())
    return replay.Replay(case, x, 1).measured(case, x, call or prepared, bits), x


def test_a_call_that_remembers_by_identity_is_wrong_for_new_values():
    known = {}

    def remembers(x):
        return known.setdefault(id(x), np.sort(x))

    for call, wrong in ((np.sort, False), (remembers, True)):
        case = make_case(call)
        got, x = replay_of(case)
        assert (got["error"] > 0.1) is wrong and (got["late"] > 0.1) is wrong
        assert np.array_equal(x, case.make(np.random.default_rng(0)))  # put back
    x.flags.writeable = False
    for inputs in (x, {"x": x}):
        other = replay.Replay(case, inputs, 1)
        assert other.measured(case, inputs, np.sort, "") is None


def test_a_call_that_was_computed_when_it_was_prepared_is_wrong_for_new_values():
    case = make_case(np.sort)
    early = np.sort(case.make(np.random.default_rng(0)))
    got, _ = replay_of(case, lambda: early)
    assert got["error"] < 1e-12 and got["late"] > 0.1 and not got["follows"]


def test_versions_that_are_equal_give_equal_errors_for_new_values():
    case = make_case(np.sort)
    object.__setattr__(case, "reference", lambda x: x)  # the array that is written to
    x = case.make(np.random.default_rng(0))
    both = replay.Replay(case, x, 1)
    known = case.prepare(x), sharing.bits_of(np.sort(x))
    got = [both.measured(case, x, *known) for _ in range(2)]
    assert got[0]["follows"] and got[0]["error"] == got[1]["error"] > 0.1
    assert got[0]["late"] == got[1]["late"]


def test_the_case_of_the_base_judges_every_version():
    class Forgiving(Case):
        def error(self, got, want):
            return 0.0

    case = make_case(np.sort)
    fields = vars(make_case(lambda x: np.sort(x)[::-1]))
    x = case.make(np.random.default_rng(0))
    kinds = {"base": case, "head": Forgiving(**fields)}
    calls = {role: kinds[role].prepare(x) for role in kinds}
    results = {role: calls[role]() for role in kinds}
    bits = {role: sharing.bits_of(results[role]) for role in kinds}
    inputs, want = dict.fromkeys(kinds, x), case.reference(x)
    row = alongside.checked(kinds, inputs, calls, results, want, bits)
    assert row["error"]["base"] == 0 and row["error"]["head"] > 0.1
    assert row["replay"]["head"]["error"] > 0.1


def test_a_call_that_remembers_by_value_takes_longer_for_new_values():
    known = {}

    def remembers(x):
        key = x.tobytes()
        if key not in known:
            known[key] = sum(np.sort(x) for _ in range(50)) / 50
        return known[key]

    got, _ = replay_of(make_case(remembers))
    assert got["error"] < 1e-12
    usual = replayed(first=1e-4, again=1e-4)
    row = {**check(), "replay": {"base": usual, "ctrl": usual, "head": got}}
    made = findings.of_batch(row, times(), CASE, 2e-16)
    assert made["replay"][0] == verdicts.SUSPECT


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_one_entry_of_an_input_is_another_one_in_each_round(dtype):
    x = np.zeros((3, 4), dtype).T
    x[1:3, 1] = 1
    before = x.copy()
    for step in range(6):
        last = x.copy()
        variation.nudge(x, step)
        assert np.count_nonzero(x != last) == 1
    assert np.allclose(x, before, rtol=1e-5, atol=0)
    variation.nudge(np.zeros(3, dtype), 0)  # nothing can be scaled
    for inputs in (np.zeros(0), np.zeros(3, int), "text", {"x": x}):
        assert variation.varied(inputs) is None


def test_one_long_call_among_new_values_says_nothing(monkeypatch):
    times = iter([(6.9, 6.9), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0)])
    monkeypatch.setattr(replay, "both_clocks", lambda call: next(times))
    got, _ = replay_of(make_case(np.sort))
    assert (got["first"], got["again"]) == (1.0, 1.0)


def test_calls_that_remember_by_value_are_timed_with_other_values():
    seen = set()

    def call_of(x):
        return lambda: seen.add(x.tobytes())

    x = np.ones(1000)
    case = SimpleNamespace(prepare=call_of)
    versions, inputs = {"base": case, "head": case}, {"base": x, "head": x}
    calls = {role: call_of(x) for role in versions}
    got = sampling.sampled(versions, inputs, calls, 0.09, 0.0, "base")
    assert len(seen) == 2 and np.array_equal(x, np.ones(1000))
    assert got["logs"]["base"] == 0.0 and got["placements"] == 1


def test_inputs_of_the_base_are_given_to_another_version_where_that_is_safe():
    base, other = np.ones(3), np.zeros(3)
    assert sharing.adopt(base, other) is base
    nested = sharing.adopt([base, {"a": (base, 2.0)}], [other, {"a": (other, 3.0)}])
    assert nested[0] is base and nested[1]["a"][0] is base and nested[1]["a"][1] == 2
    for first, second in (
        ([base], [other, other]),
        ({"a": base}, {"b": other}),
        (base, [other]),
        ([len], [len]),  # who knows what it has computed
    ):
        assert sharing.adopt(first, second) is None


WAIVER = """
[[waiver]]
case = "palm4msa*"
verdict = "changed"
reason = "targets.planted draws in another order"
expires = 2027-01-31
"""


def test_a_waiver_accepts_one_verdict_until_it_expires(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert waivers.read_waivers() == []
    waivers.DEFAULT.parent.mkdir()
    waivers.DEFAULT.write_text(WAIVER)
    accepted = waivers.read_waivers()
    rows = [
        {"case": "palm4msa sweeps n=64 [nbfact]", "verdict": "changed"},
        {"case": "palm4msa sweeps n=64 [nbfact]", "verdict": "slower"},
        {"case": "dft n=64 [nbfact dft]", "verdict": "changed"},
    ]
    assert waivers.apply(rows, accepted, datetime.date(2027, 1, 31)) == []
    assert [row.get("waived") for row in rows] == [accepted[0].reason, None, None]
    assert verdicts.exit_code(rows[:1]) == 0 and verdicts.exit_code(rows) == 2
    del rows[0]["waived"]
    (message,) = waivers.apply(rows, accepted, datetime.date(2027, 2, 1))
    assert "expired on 2027-01-31: targets.planted draws" in message
    assert "waived" not in rows[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[[waiver]]", "[waiver", "waivers.toml"),
        ("[[waiver]]", "[[waver]]", "expected .*waiver.* and nothing else"),
        ('case = "palm4msa*"', "", "waiver 1: expected the keys case, verdict"),
        ('"targets.planted draws in another order"', '""', "reason: expected a text"),
        ("2027-01-31", '"soon"', "expires: expected a date"),
        ('"changed"', '"same"', "verdict 'same'; expected one of broken"),
    ],
)
def test_a_wrong_file_of_waivers_is_refused(tmp_path, old, new, message):
    path = tmp_path / "waivers.toml"
    path.write_text(WAIVER.replace(old, new))
    with pytest.raises(ValueError, match=message):
        waivers.read_waivers(path)
    with pytest.raises(FileNotFoundError):
        waivers.read_waivers(tmp_path / "none.toml")


def leaking(kept):
    """Return a call that leaves memory behind: of Numba's runtime, or of Python."""
    return lambda: kept.append(np.ones(1000))


def test_memory_that_a_call_leaves_behind_is_counted():
    kept: list = []
    call = leaking(kept)
    call()
    found = allocations.allocations(call)
    assert 8000 <= found["kept"] < 9000 and found["blocks_kept"] == 0
    assert allocations.allocations(lambda: np.ones(1000))["kept"] < 512


@pytest.mark.parametrize(
    ("base", "head", "said"),
    [
        ({}, {"slowdown": 1000.0}, "slowdown=1000, the base 0.05"),
        ({"slowdown": 0.1}, {"slowdown": 0.2}, "slowdown=0.2, the base 0.1"),
        ({}, {"bound": None}, "bound=inf, the base 1e-06"),
        ({}, {"looser": 100.0}, "looser=100, the base 4"),
        ({"bound": None}, {"bound": None, "looser": 2.0}, "looser=2, the base 1.05"),
        ({"slowdown": 0.2, "looser": 9.0}, {"bound": 1e-7}, None),
    ],
)
def test_a_head_that_accepts_more_is_found(base, head, said):
    usual = {"bound": 1e-6, "slowdown": None, "looser": None}
    made = findings.loosened(usual | base, usual | head)
    assert not made if said is None else made["limits"][0] == verdicts.CHANGED
    assert said is None or said in made["limits"][1]


def test_a_version_tolerates_what_its_own_project_says():
    file = Path("here", "ripple", "bench.py")
    today = Project("ripple", slowdown=1000.0, registries=("bench",), file=file)
    own = {"bench.py": b"PROJECT = Project('ripple', slowdown=0.08)"}
    assert case_module.tolerances_of(today, own) == (0.08, None)
    assert case_module.tolerances_of(today, {"bench.py": b""}) == (None, None)
    assert case_module.tolerances_of(today, {"core.py": b""}) == (1000.0, None)
    nothing = Project("ripple", slowdown=0.2)
    assert case_module.tolerances_of(nothing, own) == (0.2, None)
