"""History: the wrapper of asv, which is mocked where it would run benchmarks."""

import datetime
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbfact.harness.versions import asv_history as history

ROOT = Path(__file__).parent.parent


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
    """Replace what runs for long; return what it was called with, and may say."""
    run = pytest.importorskip("asv.commands.run")
    publish = pytest.importorskip("asv.commands.publish")
    told = SimpleNamespace(values=[1.0, 2.0, float("nan")], calls=[], published=0)

    def fake(conf, range_spec, _returns, machine, _machine_file, **options):
        told.calls.append((conf, range_spec, machine, options))
        assert machine in json.loads(Path(_machine_file).read_text())
        packages = lambda *_, **__: '\n["3.12.1", {"numba": "0.68.1"}]\n'  # noqa: E731
        _returns["environments"] = [SimpleNamespace(name="env", run=packages)]
        _returns["benchmarks"] = {"a.b": {}}
        for commit in range_spec if told.values else []:
            results_of(commit, told.values, machine)  # saves itself

    def published(conf):
        told.published += 1

    monkeypatch.setattr(run.Run, "run", fake)
    monkeypatch.setattr(publish.Publish, "run", published)
    return told


def test_results_are_kept_published_and_say_what_was_installed(clone, asv, capsys):
    code = history.run_history([clone[1], "HEAD"], threads=2, machine="box")
    assert code == 0 and asv.published == 1
    conf, commits, machine, options = asv.calls[0]
    assert commits == [clone[1], clone[0]] and machine == "box"
    assert options["skip_successful"] and not options["quick"]
    assert conf.matrix["env_nobuild"]["NUMBA_NUM_THREADS"] == ["2"]
    assert conf.matrix["env_nobuild"]["OMP_WAIT_POLICY"] == ["passive"]
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
    assert history.run_history(machine="m") == code
    assert asv.published == published


def test_a_quick_run_keeps_nothing(clone, asv):
    assert history.run_history(quick=True, machine="m") == 0
    assert asv.published == 0 and not Path("benchmarks").exists()


def test_errors_of_asv_end_with_two(clone, asv, monkeypatch, capsys):
    run = pytest.importorskip("asv.commands.run")

    def refuse(message):
        def run(*_, **__):
            raise history._asv().UserError(message)

        return run

    monkeypatch.setattr(run.Run, "run", refuse("no such branch"))
    assert history.run_history(machine="m") == 2
    assert "asv: no such branch" in capsys.readouterr().err
    monkeypatch.setattr(run.Run, "run", refuse("Interrupted."))
    with pytest.raises(KeyboardInterrupt):
        history.run_history(machine="m")


def test_wrong_usage_is_named(clone, monkeypatch):
    pytest.importorskip("asv")
    for wrong, message in (
        ({"profile": "fast"}, "profile 'fast'; expected one of quick, pr, full"),
        ({"requirements": ["numba"]}, r"'numba'; expected NAME=VERSION"),
        ({"revisions": ["nonsense"]}, "nonsense: not a commit or a range"),
        ({"machine": "a/b"}, "machine 'a/b'; expected a name"),
    ):
        with pytest.raises(ValueError, match=message):
            history.run_history(**wrong)
    Path("asv.conf.json").unlink()
    with pytest.raises(ValueError, match="root of a clone"):
        history.run_history()


def test_versions_and_profiles_change_the_configuration(clone):
    asv = history._asv()
    conf = history._configuration(
        asv, "full", False, 1, ["3.11"], ["numba=0.62.1,0.68.1", "numpy==2.3.5"]
    )
    assert conf.matrix["req"]["numba"] == ["0.62.1", "0.68.1"]
    assert conf.matrix["req"]["numpy"] == ["2.3.5"]
    assert conf.pythons == ["3.11"]
    assert (conf.results_dir, conf.html_dir) == (".asv/results-full", ".asv/html-full")


def test_revisions(clone, tmp_path):
    newest, middle, oldest = clone
    assert history.resolve(["HEAD", newest[:9]], tmp_path) == [newest]
    assert history.resolve([f"{oldest}..HEAD"], tmp_path) == [newest, middle]
    assert history.resolve(["HEAD~1^!"], tmp_path) == [middle]
    assert history.resolve(["NEW"], tmp_path) == [newest]
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / f"{oldest[:8]}-env.json").touch()
    (tmp_path / "m" / "01234567-env.json").touch()  # of a commit that is not here
    assert history.resolve(["NEW"], tmp_path) == [newest, middle]


def test_nothing_new_is_no_failure(clone, asv, capsys):
    folder = Path("benchmarks", "results", "m")
    folder.mkdir(parents=True)
    (folder / f"{clone[0][:8]}-env.json").touch()
    assert history.run_history(["NEW"], machine="m") == 0
    assert "nothing new" in capsys.readouterr().out
    assert not asv.calls


def test_the_machine_is_told_what_stays_the_same(tmp_path):
    path = tmp_path / "deep" / "machine.json"
    assert history.write_machine(path, "one") == "one"
    name = history.write_machine(path)
    entries = json.loads(path.read_text())
    assert set(entries) == {"version", "one", name}
    assert set(entries[name]) == {"machine", "os", "arch", "cpu", "num_cpu", "ram"}
    assert all(isinstance(value, str) for value in entries[name].values())
    assert entries["one"] == {**entries[name], "machine": "one"}
    assert len(list(path.parent.iterdir())) == 1


def test_results_are_saved_after_every_benchmark(tmp_path):
    asv = history._asv()
    before = asv.run.Results
    with history._saving(asv, str(tmp_path)):
        results_of("0123456789", [1.0, 2.0, None])
        (path,) = (tmp_path / "m").iterdir()
        assert json.loads(path.read_text())["results"]["a.b"][0] == [1.0, 2.0, None]
    arguments = ["0123456789"], ["env"], ["a.b"]
    assert history.tally(tmp_path / "m", *arguments) == (2, ["01234567 a.b"])
    assert history.tally(tmp_path / "m", ["0123"], *arguments[1:]) == (0, [])
    assert asv.run.Results is before
