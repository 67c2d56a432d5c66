"""The harness: measure the cases of any package, check, store and compare results.

It knows nothing of the package that it measures beyond a
:class:`nbfact.harness.project.Project`, and imports only ``nbfact/_core``, so that
another package can use it::

    from nbfact.harness import Case, Project, calling, register

Start with ``case.py``, which defines a case, and with ``run.py``, which is what the
command ``nbfact bench`` does:

============================  ==========================================================
``project.py``                what the harness must know of a package
``case.py``                   a case, and how cases are grouped into tasks and chosen
``registered.py``             what a module of cases registers
``case_module.py``            the project of a module of cases that a user names
``sample.py``                 the clocks: samples of several calls in turn, and ratios
``cold.py``                   samples of calls whose operand lies in no cache
``operands.py``               the array that a call reads, and copies of it
``measure.py``                one task: check every result, time the right ones
``passes.py``                 several processes, whose rows become one
``confidence.py``             intervals across processes
``isolate.py``                the same in a process of its own, for tasks with rivals
``worker.py``                 a process that is given a job and answers in lines
``machine.py``                what the machine is: its fingerprint
``calibration.py``            what the machine can do: its rates, and the roof
``allocations.py``            what one call allocates
``store.py``                  files of rows, whole at every moment
``table.py``                  rows as tables in a terminal
``run.py``                    a run over all cases
``versions/``                 two versions side by side, verdicts, history
``report/``                   all results as one page
============================  ==========================================================
"""

from .case import Case, calling
from .project import Project
from .registered import register

__all__ = ["Case", "Project", "calling", "register"]
