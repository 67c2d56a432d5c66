"""Versions of the package: how they are named, read, and laid beside one another."""

import dataclasses
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from types import SimpleNamespace

import pytest

from nbfact import __version__
from nbfact.cases.nbfact_project import NBFACT
from nbfact.harness.versions import asv_history, revisions


def resolve(name):
    return revisions.resolve(name, NBFACT)


def git(folder, *arguments):
    names = ("-c", "user.name=x", "-c", "user.email=x@x.org")
    subprocess.run(["git", "-C", folder, *names, *arguments], check=True)


def write(folder, version):
    for name in ("bench/cases.py", "kernels/a.py", "_jit.py"):
        (folder / "nbfact" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "nbfact" / name).write_text(f"# {name}\n")
    (folder / "nbfact" / "__init__.py").write_text(f'__version__ = "{version}"\n')


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Make a repository with two commits, the first one tagged."""
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for version in ("1", "2"):
        write(folder, version)
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", version)
    git(folder, "tag", "v1", "HEAD~1")
    monkeypatch.chdir(folder)
    return folder


def test_what_git_knows_is_read_from_it(clone):
    for name, version in (("v1", "1"), ("HEAD", "2"), ("main", "2"), ("main~1", "1")):
        found = resolve(name)
        assert (found.name, found.version, found.dirty) == (name, version, False)
        assert len(found.commit) == 40 and found.date.startswith("20")
        assert sorted(found.files) == sorted(
            ["__init__.py", "_jit.py", "bench/cases.py", "kernels/a.py"]
        )
    assert resolve("v1").digest != resolve("HEAD").digest


def test_a_shallow_clone_is_named(clone, tmp_path, monkeypatch):
    git(tmp_path, "clone", "-q", "--depth", "1", clone.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert resolve("HEAD").version == "2"
    for call in (
        lambda: resolve("v1"),
        lambda: resolve("HEAD~1"),
        lambda: revisions.default_base(NBFACT),
        lambda: asv_history.resolve(["HEAD~1"], tmp_path),
        lambda: asv_history.resolve(["HEAD~1..HEAD"], tmp_path),
    ):
        with pytest.raises(ValueError, match=r"shallow: .*git fetch --unshallow"):
            call()
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow", "--tags")
    assert resolve("v1").version == "1"
    with pytest.raises(ValueError, match="neither a commit"):
        resolve("v3")


def test_the_working_tree_is_read_as_it_is(clone):
    assert resolve("worktree").digest == resolve("HEAD").digest
    (clone / "nbfact" / "new.py").write_text("x = 1\n")
    (clone / "nbfact" / "__pycache__").mkdir()
    (clone / "nbfact" / "__pycache__" / "a.pyc").write_bytes(b"")
    found = resolve("worktree")
    assert found.dirty and "new.py" in found.files and len(found.files) == 5
    assert found.commit == resolve("HEAD").commit
    assert found.kernels.keys() == {"_jit.py", "kernels/a.py"}


def test_paths_wheels_and_installed_versions(clone, tmp_path):
    write(tmp_path / "other", "3")
    for path in (tmp_path / "other", tmp_path / "other" / "nbfact"):
        assert resolve(str(path)).version == "3"
    with zipfile.ZipFile(tmp_path / "nbfact-4.whl", "w") as wheel:
        wheel.writestr("nbfact/__init__.py", '__version__ = "4"')
        wheel.writestr("nbfact/cases/registry.py", "")
        wheel.writestr("nbfact-4.dist-info/METADATA", "")
    assert resolve(str(tmp_path / "nbfact-4.whl")).version == "4"
    assert resolve("installed").version == __version__


def test_what_is_no_version_is_refused_by_name(clone, tmp_path):
    # The package is installed from its tree, which the number of a version never names.
    for name in ("nothing", "no/such/path", "--all", "v9", "v0.1.0", __version__):
        with pytest.raises(ValueError, match=f"'{name}': neither"):
            resolve(name)
    git(clone, "rm", "-rq", "--cached", "nbfact/bench")
    git(clone, "commit", "-qm", "no harness")
    with pytest.raises(ValueError, match="'HEAD': it has no registry"):
        resolve("HEAD")
    os.chdir(tmp_path)
    with pytest.raises(ValueError, match="no git repository of nbfact"):
        resolve("worktree")


@pytest.mark.parametrize("origin", [None, '{"url": "file:///x", "dir_info": {}}'])
def test_the_number_of_an_installed_version_names_it(tmp_path, monkeypatch, origin):
    write(tmp_path / "other", "3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "other")
    project = dataclasses.replace(NBFACT, name="nbfact_of_test")
    (tmp_path / "other" / "nbfact").rename(tmp_path / "other" / "nbfact_of_test")
    found = SimpleNamespace(version="3", read_text=lambda name: origin)
    monkeypatch.setattr(metadata, "distribution", lambda name: found)
    for name in ("3", "v3"):
        assert revisions.resolve(name, project).version == "3"
    editable = '{"url": "file:///x", "dir_info": {"editable": true}}'
    found.read_text = lambda name: editable
    with pytest.raises(ValueError, match="'v3': neither"):
        revisions.resolve("v3", project)
    # Without metadata that say so, a package in a clone is known by its place.
    found.read_text = lambda name: None
    git(tmp_path / "other", "init", "-q")
    with pytest.raises(ValueError, match="'3': neither"):
        revisions.resolve("3", project)
    assert revisions.resolve("installed", project).version == "3"


def test_the_repr_of_a_version_is_short(clone):
    found = resolve("HEAD")
    assert len(repr(found)) < 200 and "\n" not in repr(found)


@pytest.mark.parametrize("place", ["_jit.py", "kernels/_jit.py"])
def test_kernels_are_found_where_each_version_has_them(clone, place):
    (clone / "nbfact" / "_jit.py").unlink()
    (clone / "nbfact" / place).write_text("# how to compile\n")
    (clone / "nbfact" / "kernels.py").touch()
    (clone / "nbfact" / "kernels" / "deep").mkdir()
    (clone / "nbfact" / "kernels" / "deep" / "b.py").touch()
    found = resolve("worktree").kernels
    assert found.keys() == {place, "kernels/a.py", "kernels/deep/b.py"}


def test_the_base_is_the_last_tag_else_where_the_branch_began(clone):
    assert revisions.default_base(NBFACT) == "v1"
    git(clone, "tag", "-d", "v1")
    assert revisions.default_base(NBFACT) == "HEAD~1"
    (clone / "nbfact" / "new.py").write_text("x = 1\n")
    assert revisions.default_base(NBFACT) == "HEAD"
    began = resolve("HEAD").commit
    git(clone, "checkout", "-qb", "topic")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "topic")
    assert began.startswith(revisions.default_base(NBFACT))


def test_trees_are_written_once_a_role_and_old_ones_go(clone, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = revisions.cache_folder(NBFACT)
    found = resolve("HEAD")
    base, ctrl = (found.folder(cache, role) for role in ("base", "ctrl"))
    assert base != ctrl and len(str(base)) == len(str(ctrl))
    (base / "mark").touch()
    assert found.folder(cache, "base") == base and (base / "mark").exists()
    assert (base / "kernels" / "a.py").read_bytes() == found.files["kernels/a.py"]
    os.utime(base.parent, (0, 0))
    revisions.cache_folder(NBFACT)
    assert not base.exists() and ctrl.exists()


@pytest.mark.slow
@pytest.mark.compiled
def test_lent_kernels_are_read_under_the_other_name(tmp_path):
    found = resolve("installed")
    base, ctrl = (found.folder(tmp_path, role) for role in ("base", "ctrl"))
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from nbfact.harness.versions.aliases import load\n"
        "kernel = load(sys.argv[1], Path(sys.argv[2])).kernels.project_toeplitz\n"
        "kernel(np.ones((3, 3)))\n"
        "print(sum(kernel.stats.cache_hits.values()))"
    )

    def hits(role, folder):
        command = [sys.executable, "-c", code, role, str(folder)]
        environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=environment
        )
        return int(done.stdout)

    assert hits("base", base) == 0
    revisions.lend_kernels(base, ctrl, ("nbfact_base", "nbfact_ctrl"))
    assert hits("ctrl", ctrl) == 1
