"""Benchmarks of factorizing and learning: time, error, memory, time to an error."""

from . import common

globals().update(
    common.classes(
        __name__,
        lambda group, names: "batch" not in names and not group.startswith("project_"),
    )
)
