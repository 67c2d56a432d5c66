"""Dictionaries learned from signals: `k_svd`, and products of sparse factors.

==================  ===============================================================
``code_rule``       when a sparse code ends, and what the codes of signals cost
``k_svd``           dense dictionaries, by K-SVD
``fast_training``   dictionaries that are products of sparse factors
==================  ===============================================================
"""
