"""Changes over commits: their rules, and how the report and the command show them."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from results import bench, ratio

from nbfact.cases.nbfact_project import NBFACT
from nbfact.cli import app
from nbfact.harness import store
from nbfact.harness.report import change_list, charts, fields, trends, write
from nbfact.harness.surroundings import tell_apart
from nbfact.harness.versions import change_points

ROOT = Path(__file__).resolve().parents[1]


def series(seed, *levels, noise=0.03):
    """Return values around some levels, each a pair of a level and a number."""
    rng = np.random.default_rng(seed)
    means = np.concatenate([np.full(count, np.log(level)) for level, count in levels])
    return np.exp(means + rng.normal(0, noise, len(means)))


def places(values):
    return [change.index for change in change_points.shifts(values)]


def test_steps_are_found_where_they_are_and_soon():
    for factor in (1.1, 1 / 1.1):
        delays = []
        for seed in range(20):
            values = series(seed, (1.0, 40), (factor, 12))
            found = [c for c in change_points.shifts(values) if abs(c.index - 40) <= 2]
            delays.append(found[0].found - 39 if found else 99)
            assert all(c.confidence >= 0.999 for c in found)
        assert np.median(delays) <= 3 and delays.count(99) == 0


def test_a_reader_who_looks_after_each_commit_sees_few_false_points():
    rng = np.random.default_rng(0)
    for noise in (rng.normal(0, 0.03, (25, 60)), 0.02 * rng.standard_t(3, (25, 60))):
        seen = [change_points.followed(np.exp(logs)) for logs in noise]
        assert sum(map(len, seen)) <= 2  # of 1500 commits
    short = np.exp(rng.normal(0, 0.03, (50, 15)))
    assert sum(len(change_points.followed(values)) for values in short) <= 1


def test_what_is_seen_does_not_depend_on_what_comes_later():
    values = series(5, (1.0, 25), (1.1, 15), (0.9, 10))
    seen = change_points.followed(values)
    assert len(seen) >= 2
    for _, at in seen:
        before, then = values[:at], values[: at + 1]
        assert len(change_points.followed(before)) < len(change_points.followed(then))
        last = change_points.shifts(then)[-1]
        assert last.found == at


def test_noise_and_single_outliers_are_no_changes():
    assert sum(len(places(series(seed, (1.0, 60)))) for seed in range(30)) <= 3
    values = series(3, (2.0, 60))
    for outlier in (20, 40, 59):
        values[outlier] *= 3
    assert places(values) == [] == change_points.followed(values)
    assert places([2.0] * 30) == []
    constant = [2.0] * 20 + [2.0002] * 3
    assert places(constant) == [20]
    assert places([*[2.0] * 20, 9.0, *[2.0] * 9]) == []


def test_several_changes_and_a_way_back_are_found():
    levels = (1.0, 30), (1.3, 10), (1.0, 20), (0.5, 20)
    assert places(series(0, *levels, noise=0.02)) == [30, 40, 60]
    few = series(0, (1.0, 5), (2.0, 5))
    assert places(few) == []  # too few commits to know their noise


def test_ratios_with_intervals_need_two_commits():
    def found(*medians, share=0.01, floor=0.001):
        ends = [(m * (1 - share), m * (1 + share), floor) for m in medians]
        errors = [change_points.standard_error(*end) for end in ends]
        changes = change_points.shifts(medians, errors)
        return [(c.index, round(c.ratio, 3)) for c in changes]

    assert found(1, 1.2) == [(1, 1.2)]
    assert found(1, 1.01, 1.02, 1.01, 0.8, 0.81) == [(4, 0.797)]
    assert found(1, 1.2, share=0.2) == found(1, 1.2, floor=0.07) == []
    # Beyond the noise, but too small to be more than another build of equal code.
    assert found(1, 1.02, share=0.001) == []
    # Several commits together tell what one does not.
    assert found(1, 1.08, share=0.06) == []
    assert found(*[1] * 6, *[1.08] * 4, share=0.06) == [(6, 1.08)]


def test_ratios_find_what_the_issue_asks_for(monkeypatch):
    """8 % within 3 commits, 5 % within 6, and no false point, in noise of 3 %."""
    monkeypatch.syspath_prepend(str(ROOT))
    study = importlib.import_module("benchmarks.change_points")
    rng = np.random.default_rng(1)
    for step, within in ((0, 0), (8, 3), (5, 6)):
        for _ in range(10):
            levels = np.repeat([0.0, np.log1p(step / 100)], [30, 6])
            seen = study.ratios(levels, rng)
            assert bool(seen) == bool(step)
            assert all(at >= 30 and at - 29 <= within for _, at in seen[:1])


def test_values_without_noise_change_beyond_a_factor():
    found = change_points.steps([1e-16, 3e-16, 5e-15, 6e-15, 1e-16], 4.0, 1e-15)
    assert [c.index for c in found] == [2, 4]
    assert change_points.steps([0, 0, 3], 1.25, 2.0)[0].ratio == np.inf


ROWS = [
    ratio("a", 1.0, "a", 1),
    ratio("b", 0.8, "a", 2),
    ratio("c", 1.0, "c", 3, case="x [nbfact]"),
    ratio("d", 0.5, "b", 4, error=1e-3, blocks=9, peak=10**6, compile=4.0),
    ratio("e", 2.0, "c", 5, case="x [nbfact]"),
]


def test_ratios_lead_back_to_the_baseline():
    by_name = {(p["measure"], p["case"]): p for p in trends.panels(ROWS)}
    first = by_name["time", bench()["case"]]
    assert [p["value"] for p in first["points"]] == [1.0, 0.8, 0.4]
    assert (first["baseline"], first["points"][2]["commit"]) == ("a" * 8, "d" * 8)
    assert first["points"][2]["low"] == pytest.approx(0.8 * 0.495)
    second = by_name["time", "x [nbfact]"]
    assert [p["value"] for p in second["points"]] == [1.0, 2.0]
    found = {c["measure"]: c["ratio"] for c in trends.changes(first)}
    assert found == {"time": 0.5} or found == {"time": pytest.approx(0.5)}
    for measure, size in (
        ("error", 1e4),
        ("blocks allocated", 5),
        ("peak of memory", 10**6 / 4096),
        ("first call", 4.0),
    ):
        (change,) = trends.changes(by_name[measure, bench()["case"]])
        assert change["ratio"] == pytest.approx(size)
        assert (change["before"], change["commit"]) == ("b" * 8, "d" * 8)


def test_lines_begin_at_their_first_commit_whatever_was_measured_first():
    rows = [ratio("c", 1.0, "c", 3), ratio("a", 2.0, "c", 1), ratio("b", 1.5, "c", 2)]
    (panel,) = (p for p in trends.panels(rows) if p["measure"] == "time")
    assert [point["value"] for point in panel["points"]] == [1.0, 0.75, 0.5]
    assert panel["points"][1]["high"] == pytest.approx(0.75 * 1.01)
    assert panel["baseline"] == "a" * 8


def test_versions_of_packages_are_lines_of_their_own(tmp_path, monkeypatch):
    def row(commit, median, numba, day):
        about = {"name": "m", "versions": {"python": "3.12.1", "numba": numba}}
        return ratio(commit, median, day=day, machine=about)

    rows = [row("a", 1.0, "0.68.1", 1), row("b", 2.0, "0.68.1", 2)]
    rows += [row("a", 1.0, "0.60.0", 1), row("b", 1.0, "0.60.0", 2)]
    tell_apart(rows)
    names = {"m, 1 thread, Numba 0.68", "m, 1 thread, Numba 0.60"}
    assert {fields.machine(row) for row in rows} == names
    (panel,) = (p for p in trends.panels(rows) if p["measure"] == "time")
    assert {p["impl"] for p in panel["points"]} == names
    (change,) = trends.changes(panel)
    assert change["machine"] == "m, 1 thread, Numba 0.68"
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    folder = tmp_path / "asv" / "m"
    store.append_rows(folder / "ratios.jsonl", rows)
    written, problems = write.write_report(
        NBFACT, [], tmp_path / "report.html", tmp_path / "asv"
    )
    assert problems == []
    page, summary = (path.read_text(encoding="utf-8") for path in written)
    for text in (page, summary):
        assert "aaaaaaaa..bbbbbbbb" in text and "Numba 0.60" in text


def test_the_command_lists_changes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    store.append_rows(tmp_path / "runs" / "a.jsonl", ROWS)
    monkeypatch.setattr(sys, "argv", ["nbfact", "history", "--changes"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert (
        "bbbbbbbb..dddddddd" in out
        and "\N{MULTIPLICATION SIGN} 0.5" in out
        and "certain" in out
    )
    assert "7 changes in" in out


def test_ratios_that_cannot_be_drawn_are_named(tmp_path, capsys):
    odd = {"commit_date": "yesterday"}, {"ratio": None}, {"commit": None}
    rows = [{**ROWS[0], **more} for more in odd]
    store.append_rows(tmp_path / "a.jsonl", [*ROWS, *rows])
    assert change_list.run_changes(NBFACT, [tmp_path]) == 0
    out = capsys.readouterr().out
    for message in ("date that cannot be read", "no positive number", "a commit: not"):
        assert f"1 row {message.split()[0]}" in out or message in out
    assert "7 changes in" in out


def test_no_change_is_said(tmp_path, capsys):
    store.append_rows(tmp_path / "a.jsonl", [bench()])
    assert change_list.run_changes(NBFACT, [tmp_path]) == 0
    assert capsys.readouterr().out == "0 changes in 0 lines over commits\n"
