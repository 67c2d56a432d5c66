"""Helpers that every floor of the package may use.

The modules are ``checks`` (of arguments), ``dtypes``, ``angles``, ``files``, ``jobs``
(calls spread over processes) and ``dask`` (arrays in blocks).
"""
