"""Sources of versions: rewritten imports, wheels, and packages deep in a clone."""

import importlib
import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
from test_own_kernels import BENCH, write

from nbfact.harness import Project
from nbfact.harness.versions import revisions, wheels
from nbfact.harness.versions.clone import clone_of
from nbfact.harness.versions.renaming import SelfImports, renamed


def test_imports_of_the_package_itself_become_those_of_the_alias():
    source = textwrap.dedent("""
        import os, \\
            p.core as c, \\
            p
        def f():
            import p.x.y; z = "import p"
            from p import (a,
                b)  # of p
            from p.core import c as d
        from .p import e
        from pp import f
        import pp, q.p
    """)
    found = renamed(source.encode(), "p", "p_base").decode()
    compile(found, "p", "exec")
    assert found.count("\n") == source.count("\n")
    lines = [line.strip() for line in found.splitlines()]
    assert "import os, p_base.core as c, p_base as p" in lines
    assert 'import p_base.x.y, p_base as p; z = "import p"' in lines
    assert {"from p_base import (a,", "from p_base.core import c as d"} <= {*lines}
    assert {"from .p import e", "from pp import f", "import pp, q.p"} <= {*lines}
    assert renamed(b"def (\nimport p", "p", "p_base") == b"def (\nimport p"


def test_an_import_by_a_name_made_at_run_time_is_refused_with_its_place():
    finder = SelfImports("otherpkg")
    sys.meta_path.insert(0, finder)
    try:
        with pytest.raises(
            ImportError, match=r"test_version_sources.py, line \d+: imports"
        ):
            importlib.import_module("otherpkg.kernels")
        assert importlib.import_module("json") is json
    finally:
        sys.meta_path.remove(finder)


def test_a_release_is_the_wheel_that_pip_downloads(tmp_path, monkeypatch):
    project = Project("otherpkg", registries=("bench",))
    folder = write(tmp_path / "one")
    calls = []

    def pip(command, **options):
        calls.append(command)
        place = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(place / "otherpkg-1-py3-none-any.whl", "w") as wheel:
            for path in (folder / "otherpkg").iterdir():
                wheel.write(path, f"otherpkg/{path.name}")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(wheels.subprocess, "run", pip)
    found = revisions.resolve("otherpkg==1", project)
    assert found.version == "1" and "kernels.py" in found.files
    assert revisions.resolve("otherpkg==1", project).digest == found.digest
    assert len(calls) == 1 and "--no-deps" in calls[0]

    def none(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching one\nx")

    monkeypatch.setattr(wheels.subprocess, "run", none)
    with pytest.raises(ValueError, match=r"no wheel of it: ERROR: No matching one$"):
        revisions.resolve("otherpkg==2", project)
    with pytest.raises(ValueError, match=r"expected a release as otherpkg==1\.2"):
        revisions.resolve("==2", project)


def test_compiled_modules_are_refused_by_name(tmp_path):
    folder = write(tmp_path / "one")
    (folder / "otherpkg" / "fast.so").touch()
    with pytest.raises(ValueError, match=r"otherpkg/fast\.so is compiled"):
        revisions.resolve(str(folder), Project("otherpkg", registries=("bench",)))


def git(folder, *arguments):
    names = ("-c", "user.name=x", "-c", "user.email=x@x.org")
    subprocess.run(["git", "-C", folder, *names, *arguments], check=True)


def test_a_package_may_lie_deep_in_a_clone_and_move_into_src(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q", "-b", "main")
    folder = write(tmp_path / "tools" / "one", text=None)
    for message in ("flat", "src"):
        if message == "src":
            (folder / "src").mkdir()
            (folder / "otherpkg").rename(folder / "src" / "otherpkg")
            (folder / "src" / "otherpkg" / "bench.py").write_text(BENCH)
        for place in folder.rglob("kernels.py"):  # compiled files that git tracks
            (place.parent / "__pycache__").mkdir(exist_ok=True)
            (place.parent / "__pycache__" / "kernels.double.nbi").touch()
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", message)
    monkeypatch.chdir(folder)
    file = folder / "src" / "otherpkg" / "bench.py"
    project = Project("otherpkg", registries=("bench",), file=file)
    assert clone_of(project).place == "tools/one/src/otherpkg"
    old, new = (revisions.resolve(name, project) for name in ("HEAD~1", "HEAD"))
    assert sorted(old.files) == sorted(new.files)  # the old one gets today's cases
    assert not [path for path in new.files if "__pycache__" in path]
    assert old.files["bench.py"] == new.files["bench.py"] == BENCH.encode()
    assert revisions.resolve("worktree", project).digest == new.digest
    assert revisions.default_base(project) == "HEAD~1"
