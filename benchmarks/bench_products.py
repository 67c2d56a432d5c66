"""Benchmarks of products with fast operators: time, error, ratio to the dense one."""

from . import common

globals().update(common.classes(__name__, lambda group, names: "batch" in names))
