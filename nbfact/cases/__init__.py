"""Benchmark cases: what nbfact measures of itself, and of the rivals beside it.

:mod:`nbfact.cases.registry` lists all cases, and says how to add one. The other modules
each make the cases of one computation; :mod:`nbfact.cases.rivals` calls the
implementations of others.
"""
