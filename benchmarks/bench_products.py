"""Products with fast operators: time, error, and time against the dense product."""

from . import common

globals().update(common.classes(__name__, lambda group, names: "batch" in names))
