"""Studies: figures and tables about factorizing, each reproduced by one command.

A study is a module with

* ``TITLE``, and ``NOTES`` that say what its columns are;
* ``FULL`` and ``QUICK``, its settings, a frozen dataclass;
* ``jobs(settings, peers)``, a list of (label, function that returns rows, as dicts);
* ``tables(rows)``, a dict of captions and of rows to be shown;
* ``draw(rows, figure)``, which fills a matplotlib figure;
* ``PARALLEL = True`` where no job is timed, or only in turn with what it is compared
  with: they may then run side by side, and an interrupted study goes on where it
  stopped. Labels of jobs differ, functions can be pickled;
* ``choose(settings, names)``, where there are data sets to choose: settings for those.

:mod:`nbfact.studies.tools.run_study` does the rest: progress, resuming, CSV, Markdown, PNG.
"""
