"""A fuzzer: generated arguments for every public callable, in a process of its own.

``runner``     runs functions in a child process, which may crash or hang
``values``     the arguments that cases are written with: arrays of every kind, ...
``pools``      which arguments are good, odd and bad for a parameter
``cases``      a case is one line of Python, with what is known of its arguments
``judge``      runs one case in the child, and says what is wrong with its outcome
``checks``     what results are compared with: dense NumPy and SciPy
``entries``    one entry for each public callable
``campaign``   draws the cases of entries and runs them; the table of the outcomes
``command``    the command ``python -m tests.fuzz``
"""
