"""Versions of the package: named, read, laid beside one another."""

import os
import subprocess
import sys
import zipfile

import pytest

from nbfact import __version__
from nbfact.harness.versions import revisions


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
        found = revisions.resolve(name)
        assert (found.name, found.version, found.dirty) == (name, version, False)
        assert len(found.commit) == 40 and found.date.startswith("20")
        assert sorted(found.files) == sorted(
            ["__init__.py", "_jit.py", "bench/cases.py", "kernels/a.py"]
        )
    assert revisions.resolve("v1").digest != revisions.resolve("HEAD").digest


def test_the_working_tree_is_read_as_it_is(clone):
    assert revisions.resolve("worktree").digest == revisions.resolve("HEAD").digest
    (clone / "nbfact" / "new.py").write_text("x = 1\n")
    (clone / "nbfact" / "__pycache__").mkdir()
    (clone / "nbfact" / "__pycache__" / "a.pyc").write_bytes(b"")
    found = revisions.resolve("worktree")
    assert found.dirty and "new.py" in found.files and len(found.files) == 5
    assert found.commit == revisions.resolve("HEAD").commit
    assert found.kernels.keys() == {"_jit.py", "kernels/a.py"}


def test_paths_wheels_and_installed_versions(clone, tmp_path):
    write(tmp_path / "other", "3")
    for path in (tmp_path / "other", tmp_path / "other" / "nbfact"):
        assert revisions.resolve(str(path)).version == "3"
    with zipfile.ZipFile(tmp_path / "nbfact-4.whl", "w") as wheel:
        wheel.writestr("nbfact/__init__.py", '__version__ = "4"')
        wheel.writestr("nbfact/cases/registry.py", "")
        wheel.writestr("nbfact-4.dist-info/METADATA", "")
    assert revisions.resolve(str(tmp_path / "nbfact-4.whl")).version == "4"
    for name in ("installed", __version__):
        assert revisions.resolve(name).version == __version__


def test_what_is_no_version_is_refused_by_name(clone, tmp_path):
    for name in ("nothing", "no/such/path", "--all", "v9"):
        with pytest.raises(ValueError, match=f"'{name}': neither"):
            revisions.resolve(name)
    git(clone, "rm", "-rq", "--cached", "nbfact/bench")
    git(clone, "commit", "-qm", "no harness")
    with pytest.raises(ValueError, match="'HEAD': it has no registry"):
        revisions.resolve("HEAD")
    os.chdir(tmp_path)
    with pytest.raises(ValueError, match="no git repository of nbfact"):
        revisions.resolve("worktree")


def test_the_base_is_the_last_tag_else_where_the_branch_began(clone):
    assert revisions.default_base() == "v1"
    git(clone, "tag", "-d", "v1")
    assert revisions.default_base() == "HEAD~1"
    (clone / "nbfact" / "new.py").write_text("x = 1\n")
    assert revisions.default_base() == "HEAD"
    began = revisions.resolve("HEAD").commit
    git(clone, "checkout", "-qb", "topic")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "topic")
    assert began.startswith(revisions.default_base())


def test_trees_are_written_once_a_role_and_old_ones_go(clone, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = revisions.cache_folder()
    found = revisions.resolve("HEAD")
    base, ctrl = (found.folder(cache, role) for role in ("base", "ctrl"))
    assert base != ctrl and len(str(base)) == len(str(ctrl))
    (base / "mark").touch()
    assert found.folder(cache, "base") == base and (base / "mark").exists()
    assert (base / "kernels" / "a.py").read_bytes() == found.files["kernels/a.py"]
    os.utime(base.parent, (0, 0))
    revisions.cache_folder()
    assert not base.exists() and ctrl.exists()


@pytest.mark.slow
@pytest.mark.compiled
def test_lent_kernels_are_read_under_the_other_name(tmp_path):
    found = revisions.resolve("installed")
    base, ctrl = (found.folder(tmp_path, role) for role in ("base", "ctrl"))
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from nbfact.harness.versions.alongside import load\n"
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
