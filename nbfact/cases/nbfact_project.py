"""The project that the commands measure: nbfact, as the harness must know it."""

from .. import __version__
from ..harness.project import Project
from .registry import PROFILES
from .rivals import peers

NBFACT = Project(
    name="nbfact",
    version=__version__,
    # Version 0.1 had its registry in nbfact/bench/cases.py.
    registries=("cases.registry", "bench.cases"),
    profiles=PROFILES,
    # Version 0.1 had its decorator in nbfact/_jit.py, now it is in kernels/.
    kernels=("kernels/", "_jit.py"),
    packages=tuple(peers.PACKAGES),
    rivals=peers.PACKAGES,
    install_rivals=peers.INSTALL,
)
"""nbfact itself: what ``nbfact bench``, ``compare``, ``gate``, ``report`` and
``history`` hand to the harness."""
