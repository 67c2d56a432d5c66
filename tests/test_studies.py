"""Running the studies, at tiny sizes: what they write, print, refuse and resume."""

import csv
import dataclasses
import functools
import importlib.util
import json
import math
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from refusals import refused
from samples import LATER

from nbfact.cases.rivals import peers
from nbfact.cli import app as cli
from nbfact.studies import (
    STUDIES,
    cost,
    crossover,
    dao,
    grid,
    noise,
    rates,
    scale,
    ties,
    tradeoff,
)
from nbfact.studies.denoising import denoising_study as denoising
from nbfact.studies.large_blocks import kronecker_study as kronecker
from nbfact.studies.localisation import localisation_study as localisation
from nbfact.studies.meg import meg_study as meg
from nbfact.studies.meg.approximations import Setting
from nbfact.studies.patterns import approximation, recovery
from nbfact.studies.patterns import patterns_study as patterns
from nbfact.studies.quickmeans import quickmeans_study as quickmeans
from nbfact.studies.tools import result_files, work
from nbfact.studies.tools import run_study as run

HAVE = importlib.util.find_spec("matplotlib") is not None
needs_matplotlib = pytest.mark.skipif(not HAVE, reason="matplotlib is not installed")
pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    # matplotlib and its dependencies warn while they are imported.
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
    "ties": ties.Settings((8,), 1, (1,)),
    "patterns": patterns.Settings(
        (recovery.Grid((4,), (0.0, 1e-2), 2),),
        ("Hadamard 8 x 2",),
        (0.0, 0.9),
        1,
        approximation.Sizes(("Toeplitz",), (8,), 1, 0, "quick"),
    ),
    "crossover": crossover.Settings(
        ((8, 8, 8), (4, 16, 8)), (0.1, 0.5), ("float64",), 0.0
    ),
    "kronecker": kronecker.Settings(
        *(2, 2, (1, 2), (1, 2), 2**22, 2**20),
        **{
            "a": (1, 2),
            "b": (4, 8),
            "d": (1, 4),
            "two": (4,),
            "three": (2,),
            "budget": 0.0,
        },
    ),
    "rates": rates.Settings(4, ("float64",), (1, 2), (2,), (1, 2), 0.0),
    "grid": grid.Settings(
        ("radix 8", "haar", "dft"),
        *((16,), (1, 2), ("float64", "complex128"), ("adjoint",)),
        layouts=("columns C", "rows C"),
        budgets=(0.0, 0.0),
    ),
    "dao": dao.Settings((4, 8), ("DFT", "Hartley", "convolution"), 16, 2),
    "denoising": denoising.Settings(
        ("camera", "aero"),
        (20, 30),
        *(32, 60, 60, 40, 64, 1, 1, 4),
        (("camera", 30),),
        ((2, 0.5),),
        (40,),
        (4.0,),
    ),
    "quickmeans": quickmeans.Settings(
        (("digits", (4,), (2, 3), True), ("blobs", (4,), (2,), False)), 2, 2, 120
    ),
    "meg": meg.Settings("sphere 6x16", 3, (1, 2), (2,), (Setting(2, 3, 2, 2),), 0.1),
    "localisation": localisation.Settings(
        "sphere 6x16", (Setting(2, 3, 2, 2),), 0.1, 4, 3, 2, (20.0,)
    ),
}
COLUMNS = {
    "tradeoff": "matrix preset j k s nnz rcg error spectral seconds rank svd refined "
    "faust_3_42 faust_3_42_nnz beaten",
    "cost": "varied n J k time bytes operations dense model_bytes",
    "scale": "method target seed scaling error nnz",
    "noise": "method noise seed error",
    "ties": "part method n error successes trials",
    "patterns": "part target n noise method seed budget error nnz factors trials "
    "seconds success exact failure task",
    "crossover": "operation dtype p q columns density sparse dense ratio",
    "kronecker": "part patterns values batch layout implementation seconds least",
    "rates": "kernel dtype batch radix stride ns",
    "grid": "operator side n batch layout dtype form ours rival ratio roof load",
    "dao": "transform N exact learned published exact_seconds learned_seconds steps",
    "denoising": "part image sigma seed method codes psnr nnz seconds",
    "quickmeans": "data K D N method sparsity seed inertia relative nnz compression us "
    "bytes factored ratio fit_seconds n_iter knn nystrom svm ami",
    "meg": "matrix method gain J k s nnz rcg spectral frobenius rank svd_spectral",
    "localisation": "method gain rcg solver snr distance draws exact difference median",
}
HAVE_IMAGES = all(importlib.util.find_spec(name) for name in ("skimage", "pywt"))
MARKS = {
    "grid": LATER,
    "rates": LATER,
    "denoising": [
        pytest.mark.compiled,
        pytest.mark.slow,
        pytest.mark.skipif(not HAVE_IMAGES, reason="no images are installed"),
    ],
    "patterns": [pytest.mark.compiled, pytest.mark.slow],
    "quickmeans": [pytest.mark.compiled, *LATER],
    "meg": LATER,
    "localisation": [
        *LATER,
        pytest.mark.skipif(
            importlib.util.find_spec("pylops") is None,
            reason="pylops is not installed",
        ),
    ],
}


@needs_matplotlib
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=MARKS.get(name, ())) for name in STUDIES],
)
def test_a_study_writes_rows_a_table_and_a_picture(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "new" / "place"
    assert run.run_study(name, True, folder, settings=TINY[name]) == 0
    study, command = run.load(name), f"`nbfact study {name} --quick`"
    written = [f"{name}.{ending}" for ending in ("csv", "md", "png")]
    written += [f"{name}_details.png"] * hasattr(study, "draw_details")
    assert sorted(os.listdir(folder)) == written
    with open(folder / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and set(COLUMNS[name].split()) <= rows[0].keys()
    for row in rows:
        for value in row.values():
            try:
                assert math.isfinite(float(value))
            except ValueError:
                pass  # a name, or an empty cell
    text = (folder / f"{name}.md").read_text(encoding="utf-8")
    title, question, picture, caption = text.split("\n\n")[:4]
    assert title == f"# {study.TITLE}" and picture == f"![{study.TITLE}]({name}.png)"
    said = study.QUESTION, study.PICTURE
    assert (question.replace("\n", " "), caption.replace("\n", " ")) == said
    before, _, after = text.partition(f"\n\n{command}")
    assert after and "\n| " not in before
    opening = getattr(study, "opening", lambda rows: "")
    answer = opening(result_files.read_csv(folder / f"{name}.csv"))
    assert before.replace("\n", " ").endswith(answer)
    out = capsys.readouterr().out
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) >= 3 and all(line in out for line in table)
    assert f"{len(rows)} rows" in out and str(folder / f"{name}.png") in out
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@needs_matplotlib
def test_the_command_passes_its_options_on(monkeypatch, tmp_path, capsys):
    given = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        run, "run_study", lambda *a, **k: given.append((*a, *k.values())) or 0
    )
    Path("a.csv").touch()
    more = ["--quick", "--peers", "--output", "x", "--data", "a", "--data", "b"]
    more += ["-k", "n=8", "--so-far", "--rows", "a.csv"]
    for arguments in (["cost"], ["noise", *more]):
        monkeypatch.setattr(sys, "argv", ["nbfact", "study", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert exit_.value.code == 0
    default, chosen = given
    assert default[:2] == ("cost", False) and default[2].name == "runs"
    assert chosen[:2] == ("noise", True) and chosen[2].name == "x"
    assert default[3:] == (False, 1, 1, (), None, False, ())
    files = [Path("a.csv")]
    assert chosen[3:] == (True, 1, 1, ["a", "b"], ["n=8"], True, files)


def test_mistakes_are_reported_before_the_work(monkeypatch, tmp_path, capsys):
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
        err = refused(monkeypatch, capsys, "grid", "-k", "n=65")
        assert "study grid has no such job" in err
        err = refused(monkeypatch, capsys, "quickmeans", "--data", "iris")
        assert "--data iris: expected one of paper_blobs, structured, " in err
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
    """Raise KeyboardInterrupt, as Ctrl-C does, in the job after the first `count`.

    Return the list of the labels of the jobs that were done, which grows.
    """
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
    # A power cut leaves half a line, and another version of the package a stale one.
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


@needs_matplotlib
def test_what_is_done_so_far_can_be_written(monkeypatch, tmp_path, capsys):
    jobs = [
        (f"job {seed}", lambda seed=seed: [{"method": "m", "noise": 0.0, "error": 0.5}])
        for seed in range(5)
    ]
    monkeypatch.setattr(noise, "jobs", lambda settings, with_peers: jobs)
    with pytest.raises(ValueError, match="--so-far: no job of study noise is done"):
        run.run_study("noise", output=tmp_path, so_far=True)
    assert run.run_study("noise", output=tmp_path, pattern=["job 1", "job 3"]) == 0
    assert "-k 'job 1' -k 'job 3'`" in (tmp_path / "noise.md").read_text()
    (kept,) = tmp_path.glob("*.jsonl")
    many = ["job 1", "job 3", *(f"none {i}" for i in range(8))]
    assert run.run_study("noise", output=tmp_path, pattern=many) == 0
    page = (tmp_path / "noise.md").read_text()
    assert "noise -k ...`" in page and "10 patterns chose 2 jobs" in page
    assert run.run_study("noise", output=tmp_path, so_far=True) == 0
    assert "2 of 5 jobs are done so far" in (tmp_path / "noise.md").read_text()
    with monkeypatch.context() as patch:
        done = interrupted_after(patch, math.inf)
        assert run.run_study("noise", output=tmp_path) == 0
    assert done == ["job 0", "job 2", "job 4"] and not kept.exists()


def test_rows_depend_on_settings_and_on_sources(monkeypatch, tmp_path):
    def key():
        return work.key("noise", noise.QUICK, False)

    assert key() == key() != work.key("noise", noise.QUICK, True)
    assert key() != work.key("noise", noise.FULL, False)
    monkeypatch.setattr(work, "PACKAGE", tmp_path)
    before = key()
    (tmp_path / "harness").mkdir()
    (tmp_path / "harness" / "x.py").write_text("1")
    assert key() == before
    (tmp_path / "x.py").write_text("1")
    assert key() != before


@pytest.mark.slow
@pytest.mark.compiled
def test_jobs_side_by_side_give_the_same_rows(tmp_path):
    pytest.importorskip("joblib")
    jobs = noise.jobs(noise.Settings(n=8, noises=(0.0, 1e-2), seeds=2), False)[:4]
    kept = work.Kept(tmp_path / "new" / "a.jsonl", "key")
    assert work.do(jobs, 2, kept) == work.do(jobs)
    assert kept.read().keys() == {label for label, _ in jobs}


@pytest.mark.parametrize("name", STUDIES)
def test_jobs_that_may_run_side_by_side(name):
    study = run.load(name)
    if getattr(study, "PARALLEL", False):
        jobs = study.jobs(study.FULL, True)
        assert len({label for label, _ in jobs}) == len(jobs)
        pickle.dumps(jobs)


@pytest.mark.parametrize("name", STUDIES)
def test_full_and_quick_differ_in_size_only(name):
    study = run.load(name)
    quick, full = study.jobs(study.QUICK, False), study.jobs(study.FULL, False)
    assert 2 <= len(quick) < len(full)
    assert {f.name for f in dataclasses.fields(study.QUICK)} == {
        f.name for f in dataclasses.fields(study.FULL)
    }
