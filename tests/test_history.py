"""``nbfact history``, with a stand-in for asv where that would run benchmarks."""

import datetime
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbfact.cases.nbfact_project import NBFACT
from nbfact.harness.versions import asv_history, asv_setup

ROOT = Path(__file__).parent.parent


def run_history(*revisions, **options):
    return asv_history.run_history(NBFACT, *revisions, **options)


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Make a repository of three commits the current directory; return their hashes."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "asv.conf.json", tmp_path)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    for number in "123":
        subprocess.run(
            [*git, "commit", "-q", "--allow-empty", "-m", number], check=True
        )
    log = subprocess.run(["git", "rev-list", "HEAD"], capture_output=True, text=True)
    return log.stdout.split()


def results_of(commit, values, machine="m"):
    """Return a result of asv for one benchmark."""
    asv = pytest.importorskip("asv.commands.run")
    result = asv.Results({"machine": machine}, {}, commit, 0, "3.12", "env", {})
    benchmark = {"name": "a.b", "version": "1", "params": [list("xyz")]}
    raw = SimpleNamespace(
        result=values, samples=[None] * 3, number=[None] * 3, stderr="", errcode=0
    )
    now = datetime.datetime.now(datetime.UTC)
    raw.profile = None
    result.add_result(benchmark, raw, started_at=now, record_samples=False)
    return result


@pytest.fixture
def asv(monkeypatch):
    """Replace what takes long; return what it was called with, and what it returns."""
    run = pytest.importorskip("asv.commands.run")
    publish = pytest.importorskip("asv.commands.publish")
    fakes = SimpleNamespace(values=[1.0, 2.0, float("nan")], calls=[], published=0)

    def fake(conf, range_spec, _returns, machine, _machine_file, **options):
        fakes.calls.append((conf, range_spec, machine, options))
        assert machine in json.loads(Path(_machine_file).read_text())
        packages = lambda *_, **__: '\n["3.12.1", {"numba": "0.68.1"}]\n'  # noqa: E731
        _returns["environments"] = [SimpleNamespace(name="env", run=packages)]
        _returns["benchmarks"] = {"a.b": {}}
        for commit in range_spec if fakes.values else []:
            results_of(commit, fakes.values, machine)  # saves itself

    def published(conf):
        fakes.published += 1

    monkeypatch.setattr(run.Run, "run", fake)
    monkeypatch.setattr(publish.Publish, "run", published)
    return fakes


def test_results_are_kept_published_and_say_what_was_installed(clone, asv, capsys):
    code = run_history([clone[1], "HEAD"], threads=2, machine="box")
    assert code == 0 and asv.published == 1
    conf, commits, machine, options = asv.calls[0]
    assert commits == [clone[1], clone[0]] and machine == "box"
    assert options["skip_successful"] and not options["quick"]
    assert conf.matrix["env_nobuild"]["NUMBA_NUM_THREADS"] == ["2"]
    assert conf.matrix["env_nobuild"]["OMP_WAIT_POLICY"] == ["passive"]
    assert options["launch_method"] == "spawn", "a forked process has one thread"
    assert "4 points of 2 commits, failed benchmarks: 0 in" in capsys.readouterr().out
    lines = Path("benchmarks", "results", "box", "environments.jsonl").read_text()
    rows = [json.loads(line) for line in lines.splitlines()]
    assert [row["commit"] for row in rows] == commits
    assert rows[0]["packages"] == {"numba": "0.68.1"} and rows[0]["python"] == "3.12.1"


@pytest.mark.parametrize(
    "values, code, published",
    [
        ([1.0, None, 2.0], 1, 1),
        ([None, None, None], 1, 0),
        ([float("nan")] * 3, 2, 0),
        ([], 2, 0),
    ],
)
def test_exit_codes_are_read_from_the_results(clone, asv, values, code, published):
    asv.values = values
    assert run_history(machine="m") == code
    assert asv.published == published


def test_a_quick_run_keeps_nothing(clone, asv):
    assert run_history(quick=True, machine="m") == 0
    assert asv.published == 0 and not Path("benchmarks").exists()


def test_errors_of_asv_end_with_two(clone, asv, monkeypatch, capsys):
    run = pytest.importorskip("asv.commands.run")

    def refuse(message):
        def run(*_, **__):
            raise asv_setup.load_asv().UserError(message)

        return run

    monkeypatch.setattr(run.Run, "run", refuse("no such branch"))
    assert run_history(machine="m") == 2
    assert "asv: no such branch" in capsys.readouterr().err
    monkeypatch.setattr(run.Run, "run", refuse("Interrupted."))
    with pytest.raises(KeyboardInterrupt):
        run_history(machine="m")


def test_wrong_usage_is_named(clone, monkeypatch):
    pytest.importorskip("asv")
    for wrong, message in (
        (
            {"profile": "fast"},
            "profile 'fast'; expected one of quick, pr, nightly, full",
        ),
        ({"requirements": ["numba"]}, r"'numba'; expected NAME=VERSION"),
        ({"revisions": ["nonsense"]}, "nonsense: not a commit or a range"),
        ({"machine": "a/b"}, "machine 'a/b'; expected a name"),
    ):
        with pytest.raises(ValueError, match=message):
            run_history(**wrong)
    Path("asv.conf.json").unlink()
    with pytest.raises(ValueError, match="root of a clone"):
        run_history()


def test_versions_and_profiles_change_the_configuration(clone):
    asv = asv_setup.load_asv()
    conf = asv_setup.configuration(
        asv,
        NBFACT,
        profile="full",
        pythons=["3.11"],
        requirements=["numba=0.62.1,0.68.1", "numpy==2.3.5"],
    )
    assert conf.matrix["req"]["numba"] == ["0.62.1", "0.68.1"]
    assert conf.matrix["req"]["numpy"] == ["2.3.5"]
    assert conf.pythons == ["3.11"]
    assert (conf.results_dir, conf.html_dir) == (".asv/results-full", ".asv/html-full")


def test_revisions(clone, tmp_path):
    newest, middle, oldest = clone
    assert asv_history.resolve(["HEAD", newest[:9]], tmp_path) == [newest]
    assert asv_history.resolve([f"{oldest}..HEAD"], tmp_path) == [newest, middle]
    assert asv_history.resolve(["HEAD~1^!"], tmp_path) == [middle]
    assert asv_history.resolve(["NEW"], tmp_path) == [newest]
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / f"{oldest[:8]}-env.json").touch()
    (tmp_path / "m" / "01234567-env.json").touch()  # of a commit that is not here
    assert asv_history.resolve(["NEW"], tmp_path) == [newest, middle]


def test_nothing_new_is_no_failure(clone, asv, capsys):
    folder = Path("benchmarks", "results", "m")
    folder.mkdir(parents=True)
    (folder / f"{clone[0][:8]}-env.json").touch()
    assert run_history(["NEW"], machine="m") == 0
    assert "nothing new" in capsys.readouterr().out
    assert not asv.calls


def test_what_is_written_of_the_machine_stays_the_same(tmp_path):
    path = tmp_path / "deep" / "machine.json"
    assert asv_setup.write_machine(path, NBFACT, "one") == "one"
    name = asv_setup.write_machine(path, NBFACT)
    entries = json.loads(path.read_text())
    assert set(entries) == {"version", "one", name}
    assert set(entries[name]) == {"machine", "os", "arch", "cpu", "num_cpu", "ram"}
    assert all(isinstance(value, str) for value in entries[name].values())
    assert entries["one"] == {**entries[name], "machine": "one"}
    assert len(list(path.parent.iterdir())) == 1


def test_results_are_saved_after_every_benchmark(tmp_path):
    asv = asv_setup.load_asv()
    before = asv.run.Results
    with asv_setup.saving(asv, str(tmp_path)):
        results_of("0123456789", [1.0, 2.0, None])
        (path,) = (tmp_path / "m").iterdir()
        assert json.loads(path.read_text())["results"]["a.b"][0] == [1.0, 2.0, None]
    arguments = ["0123456789"], ["env"], ["a.b"]
    assert asv_history.tally(tmp_path / "m", *arguments) == (2, ["01234567 a.b"])
    assert asv_history.tally(tmp_path / "m", ["0123"], *arguments[1:]) == (0, [])
    (tmp_path / "m" / f".0-{'0' * 32}.json").write_text("{")  # is being written
    assert asv_history.tally(tmp_path / "m", *arguments)[0] == 2
    (tmp_path / "m" / "damaged-e.json").write_text("{")
    with pytest.raises(ValueError, match=r"damaged-e\.json: not a JSON file of asv"):
        asv_history.tally(tmp_path / "m", *arguments)
    assert asv.run.Results is before


def test_a_pattern_selects_the_same_tasks_as_in_every_command(tmp_path, clone, asv):
    groups = {
        "fwht": {
            "class": "Fwht",
            "names": ["n", "batch", "dtype"],
            "impls": {
                "nbfact fwht": [[64, 1, "float32"], [1024, 64, "float32"]],
                "dense A @ X": [[64, 1, "float32"]],
            },
        },
        "palm4msa shapes": {
            "class": "Palm4msaShapes",
            "names": ["m", "sets", "dtype"],
            "impls": {"nbfact": [[64, "sp*(a+b)", "float64"]]},
        },
    }
    (tmp_path / "points.json").write_text(json.dumps({"pr": groups}))
    names = [
        "bench_products.Fwht.time_apply(64, 1, 'float32', 'nbfact fwht')",
        "bench_products.Fwht.time_apply(64, 1, 'float32', 'dense A @ X')",
        "bench_products.Fwht.time_apply(1024, 64, 'float32', 'nbfact fwht')",
        "bench_products.Hadamard.time_apply(64, 1, 'float32', 'nbfact fwht')",
        "bench_factorizing.Palm4msaShapes.time_apply("
        "'m=64 sets=sp*(a+b) float64', 'nbfact')",
        "bench_coldstart.ColdStart.timeraw_import",
    ]

    def chosen(pattern):
        expressions = asv_setup.asv_patterns(pattern, tmp_path, "pr")
        return [
            number
            for number, name in enumerate(names)
            if any(re.search(one, name) for one in expressions)
        ]

    assert chosen("fwht") == [0, 1, 2]
    assert chosen("n=64 batch=1") == [0, 1]
    assert chosen("*batch=64*") == [2]
    assert chosen("PALM4MSA shapes") == [4] == chosen("sp*(a+b)")
    assert chosen("import") == [5] and chosen("nothing") == []
    assert asv_setup.asv_patterns(None, tmp_path, "pr") is None
    assert asv_setup.asv_patterns("x", tmp_path / "none", "pr") == ["x"]
    Path("benchmarks").mkdir()
    (tmp_path / "points.json").rename("benchmarks/points.json")
    run_history(machine="m", pattern="batch=64")
    assert len(asv.calls[0][3]["bench"]) == 2
