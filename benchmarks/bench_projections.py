"""Benchmarks of projections onto sparse sets: time; a wrong one fails in its setup."""

from . import common

globals().update(
    common.classes(__name__, lambda group, names: group.startswith("project_"))
)
