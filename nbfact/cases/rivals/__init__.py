"""Rivals: implementations by other people, each called as its documentation says.

Two words are used throughout:

*rival*
    An implementation by somebody else, such as scipy.fft, pyfaust or scikit-learn. When
    a rival fails or is wrong, the table shows it, and the run does not fail.
*peers*
    The optional extra ``nbfact[peers]`` that installs the rivals which nbfact does not
    need itself. A peer is a rival from that extra: it takes part with ``--peers``, and
    where its package is installed.

:mod:`nbfact.cases.rivals.peers` lists the peers and calls their products, transforms
and searches; :mod:`nbfact.cases.rivals.faust` calls the algorithms and projections of
one of them, pyfaust. :mod:`nbfact.cases.rivals.numpy_palm` is no rival: it is the
algorithm of the paper in plain NumPy, written here as the yardstick where pyfaust is
not installed.
"""
