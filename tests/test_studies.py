"""The studies, at tiny sizes: what they write, show and refuse."""

import csv
import dataclasses
import functools
import importlib.util
import json
import math
import os
import pickle
import sys

import numpy as np
import pytest
from samples import ACCEPTANCE

import nbfact as nf
from nbfact.cases.rivals import peers
from nbfact.cli import app as cli
from nbfact.cli.study import Study
from nbfact.studies import cost, crossover, dao, noise, rates, scale, tradeoff
from nbfact.studies import product_speed as products
from nbfact.studies.patterns import (
    approximation,
    exploration,
    instances,
    rank_one_blocks,
    recovery,
)
from nbfact.studies.patterns import patterns_study as patterns
from nbfact.studies.quickmeans import quickmeans_study as quickmeans
from nbfact.studies.tools import intervals, work
from nbfact.studies.tools import result_files as report
from nbfact.studies.tools import run_study as run

HAVE = importlib.util.find_spec("matplotlib") is not None
needs_matplotlib = pytest.mark.skipif(not HAVE, reason="matplotlib is not installed")
pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    # Of matplotlib's own imports and dependencies.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

TINY = {
    "tradeoff": tradeoff.Settings((((8, 12), ((2, 3, 2), (3, 3, 2))),)),
    "cost": cost.Settings(n=(4, 8), J=(2, 3), k=(1, 2), fixed=(8, 2, 2), sweeps=3),
    "scale": scale.Settings(
        n=8,
        seeds=2,
        n_iter=3,
        levels=(2, 2),
        methods=("palm SpLin k=4", "palm Sp k=2", "hierarchical SpLinCol"),
        targets=("gaussian", "hadamard permuted"),
    ),
    "noise": noise.Settings(n=8, noises=(0.0, 1e-8), seeds=2),
    "patterns": patterns.Settings(
        (recovery.Grid((4,), (0.0, 1e-2), 2),),
        ("Hadamard 8 x 2",),
        (0.0, 0.9),
        1,
        approximation.Sizes(("DCT",), 1, (1,), ("DCT",), (2.0,), 1, n=8),
    ),
    "crossover": crossover.Settings(
        ((8, 8, 8), (4, 16, 8)), (0.1, 0.5), ("float64",), 0.0
    ),
    "rates": rates.Settings(4, ("float64",), (1, 2), (2,), (1, 2), 0.0),
    "products": products.Settings((8,), (1, 2), ("float32",), 0.0),
    "dao": dao.Settings((4, 8), ("DFT", "Hartley", "convolution"), 16, 2),
    "quickmeans": quickmeans.Settings(
        (("digits", (4,), (2, 3)), ("blobs", (4,), (2,))), 2, 2, 120
    ),
}
COLUMNS = {
    "tradeoff": "matrix preset j k s nnz rcg error spectral seconds rank svd refined "
    "published published_nnz beaten",
    "cost": "varied n J k time bytes operations dense model_bytes",
    "scale": "method target seed scaling error nnz",
    "noise": "method noise seed error",
    "patterns": "part target n noise method seed budget error nnz factors trials "
    "seconds success exact failure task",
    "crossover": "operation dtype p q columns density sparse dense ratio",
    "rates": "kernel dtype batch radix stride ns",
    "products": "dtype n batch implementation seconds least error",
    "dao": "transform N exact learned published exact_seconds learned_seconds steps",
    "quickmeans": "data K D N method sparsity seed inertia relative nnz compression us "
    "ratio fit_seconds n_iter knn nystrom svm ami",
}
COMPILED = ("patterns", "quickmeans")


@needs_matplotlib
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.compiled] * (name in COMPILED))
        for name in run.STUDIES
    ],
)
def test_a_study_writes_rows_a_table_and_a_picture(name, tmp_path, capsys):
    folder = tmp_path / "new" / "place"
    assert run.run_study(name, True, folder, settings=TINY[name]) == 0
    assert sorted(os.listdir(folder)) == [f"{name}.{k}" for k in ("csv", "md", "png")]
    with open(folder / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and set(COLUMNS[name].split()) <= rows[0].keys()
    for row in rows:
        for value in row.values():
            try:
                assert math.isfinite(float(value))
            except ValueError:
                pass  # a name, or nothing
    text = (folder / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {run.load(name).TITLE}\n\n`nbfact study {name} --quick`")
    out = capsys.readouterr().out
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) >= 3 and all(line in out for line in table)
    assert f"{len(rows)} rows" in out and str(folder / f"{name}.png") in out
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@needs_matplotlib
def test_the_command_passes_its_options_on(monkeypatch, tmp_path, capsys):
    given = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "run_study", lambda *a: given.append(a) or 0)
    more = ["--quick", "--peers", "--output", "x", "--data", "a", "--data", "b"]
    for arguments in (["cost"], ["noise", *more]):
        monkeypatch.setattr(sys, "argv", ["nbfact", "study", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert exit_.value.code == 0
    default, chosen = given
    assert default[:2] == ("cost", False) and default[2].name == "runs"
    assert chosen[:2] == ("noise", True) and chosen[2].name == "x"
    assert default[3:] == (False, 1, 1, ())
    assert chosen[3:] == (True, 1, 1, ["a", "b"])
    assert set(Study) == set(run.STUDIES)


def refused(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["nbfact", "study", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    out, err = capsys.readouterr()
    assert exit_.value.code == 2 and "Traceback" not in out + err
    return err


def test_mistakes_are_told_before_the_work(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work, "do", lambda *a: pytest.fail("it started"))
    (tmp_path / "file").write_text("mine")
    assert "no-such-study" in refused(monkeypatch, capsys, "no-such-study")
    monkeypatch.setattr(peers, "installed", lambda name: False)
    if HAVE:
        err = refused(monkeypatch, capsys, "cost", "--output", "file")
        assert "file: not a directory" in err
        err = refused(monkeypatch, capsys, "cost", "--output", "file/in")
        assert "is not a directory" in err
        err = refused(monkeypatch, capsys, "noise", "--peers")
        assert "pyfaust is missing" in err and "nbfact[peers]" in err
        err = refused(monkeypatch, capsys, "cost", "--n-jobs", "2")
        assert "study cost times its jobs" in err
        err = refused(monkeypatch, capsys, "noise", "--n-jobs", "2", "--threads", "2")
        assert "choose one" in err
        err = refused(monkeypatch, capsys, "noise", "--data", "digits")
        assert "study noise has no data sets to choose" in err
        err = refused(monkeypatch, capsys, "quickmeans", "--data", "iris")
        assert "--data iris: expected one of blobs, mnist, " in err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    err = refused(monkeypatch, capsys, "cost")
    assert 'pip install "nbfact[study]"' in err
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(ValueError, match="unknown study 'x'"):
        run.run_study("x")


@needs_matplotlib
def test_numbers_that_are_not_finite_exit_with_1(monkeypatch, tmp_path, capsys):
    def jobs(settings, with_peers):
        return [("job", lambda: [{**rows[0], "error": math.nan}, rows[1]])]

    rows = [
        {"method": "m", "noise": level, "seed": 0, "error": 0.1} for level in (0.0, 0.1)
    ]
    monkeypatch.setattr(noise, "jobs", jobs)
    assert run.run_study("noise", output=tmp_path) == 1
    assert "WRONG: row 1: error is nan" in capsys.readouterr().err
    assert len(os.listdir(tmp_path)) == 3


@needs_matplotlib
def test_an_interrupted_study_leaves_the_old_files(monkeypatch, tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    (tmp_path / "cost.csv").write_text("old")
    monkeypatch.setattr(cost, "jobs", lambda *a: [("job", interrupt)])
    with pytest.raises(KeyboardInterrupt):
        run.run_study("cost", output=tmp_path)
    assert os.listdir(tmp_path) == ["cost.csv"]
    assert (tmp_path / "cost.csv").read_text() == "old"


def interrupted_after(monkeypatch, count):
    """Let Ctrl-C be pressed in the job after `count` of them."""
    done, add = [], work.Kept.add

    def added(self, label, rows):
        if len(done) == count:
            raise KeyboardInterrupt
        done.append(label)
        return add(self, label, rows)

    monkeypatch.setattr(work.Kept, "add", added)
    return done


@needs_matplotlib
def test_an_interrupted_study_goes_on(monkeypatch, tmp_path, capsys):
    def job(noise, seed):
        error = np.float64(noise + 0.1 * seed)
        return [{"method": "m", "noise": noise, "seed": seed, "error": error}]

    jobs = [
        (f"{level}, {seed}", functools.partial(job, level, seed))
        for level in (0.0, 1e-2)
        for seed in range(5)
    ]
    monkeypatch.setattr(noise, "jobs", lambda settings, with_peers: jobs)
    assert run.run_study("noise", output=tmp_path / "whole") == 0
    with monkeypatch.context() as patch:
        first = interrupted_after(patch, 4)
        with pytest.raises(KeyboardInterrupt):
            run.run_study("noise", output=tmp_path / "cut")
    (kept,) = (tmp_path / "cut").iterdir()
    assert f"4 of {len(jobs)} jobs are kept in {kept}" in capsys.readouterr().err
    # The power is cut in the middle of a line; what another version left is no use.
    lines = kept.read_text().splitlines()
    stale = json.loads(lines[0]) | {"key": "another", "rows": [{"method": "wrong"}]}
    stale["job"] = jobs[-1][0]
    kept.write_text("\n".join([*lines[:3], json.dumps(stale), lines[3][:-9]]))
    with monkeypatch.context() as patch:
        second = interrupted_after(patch, math.inf)
        assert run.run_study("noise", output=tmp_path / "cut") == 0
    assert second == [label for label, _ in jobs if label not in first[:3]]
    for kind in ("csv", "md"):
        whole, cut = (tmp_path / one / f"noise.{kind}" for one in ("whole", "cut"))
        assert whole.read_bytes() == cut.read_bytes()
    assert len(os.listdir(tmp_path / "cut")) == 3


def test_rows_depend_on_settings_and_on_sources(monkeypatch, tmp_path):
    def key():
        return work.key("noise", noise.QUICK, False)

    assert key() == key() != work.key("noise", noise.QUICK, True)
    assert key() != work.key("noise", noise.FULL, False)
    monkeypatch.setattr(work, "PACKAGE", tmp_path)
    before = key()
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "x.py").write_text("1")
    assert key() == before
    (tmp_path / "x.py").write_text("1")
    assert key() != before


@pytest.mark.compiled
def test_jobs_side_by_side_give_the_same_rows(tmp_path):
    pytest.importorskip("joblib")
    jobs = noise.jobs(noise.Settings(n=8, noises=(0.0, 1e-2), seeds=2), False)[:4]
    kept = work.Kept(tmp_path / "new" / "a.jsonl", "key")
    assert work.do(jobs, 2, kept) == work.do(jobs)
    assert kept.read().keys() == {label for label, _ in jobs}


@pytest.mark.parametrize("name", run.STUDIES)
def test_jobs_that_may_run_side_by_side(name):
    study = run.load(name)
    if getattr(study, "PARALLEL", False):
        jobs = study.jobs(study.FULL, True)
        assert len({label for label, _ in jobs}) == len(jobs)
        pickle.dumps(jobs)


@pytest.mark.parametrize("name", run.STUDIES)
def test_full_and_quick_differ_in_size_only(name):
    study = run.load(name)
    quick, full = study.jobs(study.QUICK, False), study.jobs(study.FULL, False)
    assert 2 <= len(quick) < len(full)
    assert {f.name for f in dataclasses.fields(study.QUICK)} == {
        f.name for f in dataclasses.fields(study.FULL)
    }


def test_the_matrix_of_the_anchors_is_that_of_the_acceptance_data():
    target = tradeoff.dipoles(48, 512)
    assert np.linalg.norm(target) == pytest.approx(132.70481180462755, rel=1e-10)
    assert target[0, 0] == pytest.approx(0.18761903957658563, rel=1e-10)
    grid = dict(tradeoff.QUICK.grids)[48, 512]
    assert len(grid) >= 10 and set(tradeoff.ANCHORS) <= set(grid)


@pytest.mark.compiled
def test_the_published_errors_are_beaten():
    target = tradeoff.dipoles(48, 512)
    singular = np.linalg.svd(target, compute_uv=False)
    for jks, (published, nnz) in tradeoff.ANCHORS.items():
        row = tradeoff._row("rectmat", nf.presets.rectmat, jks, target, singular, False)
        assert row["beaten"] == "yes"
        assert row["refined"] < row["error"] < published < row["svd"]
        assert row["nnz"] <= nnz


def test_noise_follows_the_protocol_of_the_acceptance_data():
    target, clean = noise.instance(32, 1e-2, 3)
    difference = target - clean
    drawn = np.random.default_rng(3).standard_normal((32, 32))
    assert np.linalg.norm(difference) == pytest.approx(1e-2 * np.linalg.norm(clean))
    np.testing.assert_allclose(
        difference / np.linalg.norm(difference), drawn / np.linalg.norm(drawn)
    )
    permuted, same = noise.instance(32, noise.PERMUTED, 3)
    assert permuted is same
    order = np.random.default_rng(103).permutation(32)
    np.testing.assert_array_equal(permuted, nf.targets.hadamard(32)[order])


@pytest.mark.compiled
@pytest.mark.skipif(not ACCEPTANCE.exists(), reason="no shared acceptance data")
@pytest.mark.skipif(not peers.installed("pyfaust"), reason="pyfaust is not installed")
@pytest.mark.parametrize("key", ["splincol", "skperm"])
def test_pyfaust_run_live_gives_the_answers_of_the_acceptance_data(key):
    from nbfact.cases.rivals import faust

    file = ACCEPTANCE / "faust-noise-robustness.json"
    answers = json.loads(file.read_text())["results"][f"hier2016 {key}"]
    preset = {"splincol": "hadamard", "skperm": "hadamard_skperm"}[key]
    for level, told in ((1e-4, "noise 1e-4"), (noise.PERMUTED, "row permuted")):
        answer = next(v for k, v in answers.items() if k.startswith(told))
        target, clean = noise.instance(32, level, 1)
        got = faust.hierarchical(target, preset, 2016)()
        assert nf.relative_error(clean, got) == pytest.approx(answer[1], abs=1e-4)


@pytest.mark.parametrize("n", [8, 32])
def test_the_targets_of_scale_are_square_finite_and_reproducible(n):
    made = scale.families(n)
    assert len(made) == 8
    for name, make in made.items():
        if name == "digits":
            continue  # scikit-learn's own threads and warnings
        target = make(n, np.random.default_rng(1))
        assert target.shape == (n, n) and np.isfinite(target).all(), name
        np.testing.assert_array_equal(target, make(n, np.random.default_rng(1)))


def test_wins_and_means_of_scale():
    errors = {("a", 0): 0.1, ("b", 0): 0.2, ("a", 1): 0.4, ("b", 1): 0.4}
    rows = [
        {"method": "m", "target": "t", "seed": s, "scaling": o, "error": e, "nnz": 1}
        for (o, s), e in errors.items()
    ]
    (lines,) = scale.tables(rows).values()
    assert lines[0]["wins"] == lines[1]["wins"] == "2 / 1"
    assert lines[0]["a"] == "0.25 (0.1..0.4)"
    assert (lines[1]["a"], lines[1]["b"]) == ("1.000", "1.414")


def test_slopes_and_operations_of_cost():
    assert cost.slope([1, 2, 4, 8], [5, 20, 80, 320]) == pytest.approx(2)
    # Two factors of n k entries: both are absorbed, the second meets the first.
    n, k = 16, 2
    expected = 2 * (8 * n * n * k + 8 * n * n) + 4 * n * n * k
    assert cost.operations(n, 2, k)[0] == expected


def test_the_targets_of_dao_are_those_of_the_paper():
    made = {name: dao.target(name, 8) for name in dao.PUBLISHED}
    assert {len(numbers) for numbers in dao.PUBLISHED.values()} == {len(dao.SIZES)}
    for name in ("DFT", "Hadamard", "Hartley"):
        assert np.linalg.norm(made[name]) == pytest.approx(math.sqrt(8)), name
    assert made["DCT"][0, 0] == pytest.approx(2 / math.sqrt(8))  # not orthonormal
    assert np.linalg.norm(made["Hilbert"], 2) == pytest.approx(1)
    np.testing.assert_allclose(made["Hilbert"][0, 0] / made["Hilbert"][1], np.r_[2:10])
    circular = made["convolution"]
    np.testing.assert_array_equal(circular[1:, 1:], circular[:-1, :-1])
    # Legendre polynomials 0 and 1 on the inner points of a grid of [-1, 1].
    points = np.linspace(-1, 1, 10)[1:-1]
    np.testing.assert_allclose(math.sqrt(8) * made["Legendre"][:2], [points**0, points])


@pytest.mark.compiled
def test_the_published_errors_are_beaten_by_learning():
    for name in ("DFT", "Hadamard", "Hartley"):
        (row,) = dao._rows(name, 16, dao.QUICK)
        assert row["learned"] < row["published"] < dao.SUCCESS


def test_cells():
    assert report.columns([{"a": 1}, {"b": 1}]) == ["a", "b"]
    assert "| x |" in report.markdown({"T": [{"a": "x"}, {"a": None}]})


def test_wilson_intervals():
    # Newcombe (Statistics in Medicine 17, 1998), table I, method 3.
    for (good, trials), ends in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert intervals.wilson(good, trials) == pytest.approx(ends, abs=6e-5)
    low, high = intervals.wilson(48, 50)
    assert (1 - high, 1 - low) == pytest.approx(intervals.wilson(2, 50))


def test_intervals_of_means():
    # Student (Biometrika 6, 1908), hours of sleep: of R, t.test(extra ~ group, paired).
    sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    assert intervals.half_width(sleep) == pytest.approx(0.8798858, abs=1e-7)
    assert intervals.told_mean(sleep) == "1.58 ± 0.88"
    assert intervals.told_mean([3, 3]) == "3"
    assert intervals.told_mean([128000, 128000]) == "128000"
    assert intervals.told_mean([0.5, 0.500001]) == "0.5000 ± 0.0000"
    assert intervals.told_mean([16000, 16400]) == "16200 ± 2541"


@pytest.mark.parametrize("kind", ["orthogonal", "gaussian", "unitary"])
def test_rank_one_blocks_find_a_permuted_butterfly(kind):
    target = nf.targets.permuted_butterfly(8, kind, random_state=1)
    found = rank_one_blocks.rank_one_blocks(target, random_state=0)
    assert nf.relative_error(target, found.operator) < 1e-12
    assert found.operator.nnz == 2 * 8 * 3


def test_rank_one_blocks_that_do_not_nest_are_given_up(monkeypatch):
    pairs, halves = np.arange(8) // 2, np.arange(8) // 4
    parts = iter([(pairs, halves), (np.arange(8) % 2, pairs)])
    monkeypatch.setattr(rank_one_blocks, "_level", lambda *a: next(parts))
    assert rank_one_blocks.rank_one_blocks(np.eye(8)) is None


def test_an_attempt_that_raises_is_a_row():
    def solve(matrix, instance, seed):
        assert matrix.shape == (8, 8) and instance.noise == 0.1 and seed == 3
        raise ValueError("of a\nkind")

    one = instances.Instance("Hartley", 8, 3, noise=0.1)
    (row,) = instances.attempt("part", "ours", solve, one)
    assert row["failure"] == "ValueError: of a kind"
    assert row["error"] is row["success"] is None
    assert patterns.tables([row])["Failures"][0]["failures"] == 1
    (row,) = instances.attempt("part", "none", lambda *a: None, one)
    assert (row["error"], row["success"], row["failure"]) == (1.0, 0, None)
    (row,) = instances.attempt("part", "same", lambda x, *a: x, one)
    assert row["error"] == pytest.approx(0.1) and (row["success"], row["exact"]) == (
        1,
        0,
    )


@pytest.mark.parametrize("name", instances.TARGETS)
def test_the_targets_of_patterns(name):
    if name == "digits centroids":
        pytest.importorskip("sklearn")
    first, clean = instances.Instance(name, 16, 5, noise=1e-2).matrices()
    again, _ = instances.Instance(name, 16, 5, noise=1e-2).matrices()
    np.testing.assert_array_equal(first, again)
    assert nf.relative_error(clean, first) == pytest.approx(1e-2)
    other, _ = instances.Instance(name, 16, 6).matrices()
    assert np.array_equal(clean, other) == (name in instances.FIXED)


def test_seeds_of_patterns_are_those_that_judge():
    jobs = patterns.jobs(patterns.FULL, True)
    seeds = {int(label.rsplit(", ", 1)[1]) for label, _ in jobs}
    assert min(seeds) == instances.JUDGED and max(seeds) < instances.JUDGED + 50
    parts = {label.split(", ")[0] for label, _ in jobs}
    assert parts == {recovery.PART, exploration.PART, "approximation", "budgets"}


@pytest.mark.compiled
def test_explorations_start_where_palm_does():
    task = dataclasses.replace(exploration.TASKS["Hadamard 8 x 2"], n_iter=150)
    one = instances.Instance(task.target, exploration.N, 1)
    rows = []
    for method, solve in exploration.methods(task, (0.0, 0.95)).items():
        rows += instances.attempt("exploration", method, solve, one, task="t")
    errors = {row["method"]: row["error"] for row in rows}
    assert errors["leak 0.0"] <= errors["palm4msa"] * (1 + 1e-12)
    assert errors["explore 0.95"] <= errors["leak 0.95"] < 1e-3 < errors["palm4msa"]
    assert exploration.worse(rows) == 0
    rows[-1]["error"] = 2.0
    assert exploration.worse(rows) == 1


def test_budgets_of_the_baselines():
    for budget in approximation.BUDGETS.values():
        factors, residuals = approximation.sets("sp", 64, budget)
        assert sum(one.k for one in [*factors, residuals[-1]]) == budget
    kept = approximation.within(
        [{"error": 1, "nnz": 3, "budget": 2}, {"error": 1, "nnz": 2, "budget": 2}]
    )
    assert [row["nnz"] for row in kept] == [2]


def test_the_refined_fixed_butterfly_is_that_of_the_matrix():
    target = nf.targets.dft(8).real.copy()
    found = approximation._fixed(target, None, 0)
    best = nf.butterfly_factorize(target, permutation="search")
    assert found.relative_error <= best.relative_error + 1e-12
