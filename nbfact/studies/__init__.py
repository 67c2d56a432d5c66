"""Studies: each examines a claim about factorizing, of the literature or of nbfact.

``nbfact study NAME`` runs the study NAME, prints its tables, and writes its rows as
``NAME.csv``, its tables as ``NAME.md`` and its picture as ``NAME.png``. :data:`STUDIES`
is the one list of them. `docs/studies.md` says what each of them shows.

To add a study, write a module with the members below, and add a line to
:data:`STUDIES`.

* ``TITLE``, a line; ``QUESTION``, what is asked, and ``PICTURE``, what the picture
  shows, each a few plain sentences; and ``NOTES``, text in Markdown that says what the
  columns mean;
* ``Settings``, a frozen dataclass of what the study varies, and two instances of it:
  ``FULL``, and ``QUICK``, which ends within minutes. It is the one class name that the
  files of this package share: every study has its own ``Settings``;
* ``jobs(settings, peers)``, which returns a list of jobs, each a label and a function
  that returns rows (dicts). With `peers`, pyfaust runs too where the study compares
  with it;
* ``tables(rows)``, which returns a dict from captions to the rows of the tables, the
  most important one first: the page shows few short ones, and folds the others;
* ``draw(rows, figure)``, which fills a matplotlib figure;
* optionally ``opening(rows)``, the answer in a few plain sentences, with which the page
  goes on below its picture; ``draw_details(rows, figure)``, a second picture further
  down; and ``SAME_ROW``, the columns by which rows of several runs are compared;
* optionally ``check_installed(labels)``, which raises before the work is done if a
  package is missing that one of the jobs of these labels needs;
* optionally ``PARALLEL = True``, where no job is timed, or each time is only compared
  with others of the same job. Such jobs may run side by side in several processes, and
  an interrupted study resumes where it stopped. Their labels must differ, and their
  functions must be picklable;
* optionally ``choose(settings, names)``, for a study of several data sets: it returns
  the settings restricted to the named ones.

:mod:`nbfact.studies.tools.run_study` does the rest.
"""

STUDIES: dict[str, str] = {
    "tradeoff": "tradeoff",
    "cost": "cost",
    "scale": "scale",
    "noise": "noise",
    "ties": "ties",
    "patterns": "patterns.patterns_study",
    "crossover": "crossover",
    "grid": "grid",
    "kronecker": "large_blocks.kronecker_study",
    "rates": "rates",
    "dao": "dao",
    "denoising": "denoising.denoising_study",
    "quickmeans": "quickmeans.quickmeans_study",
    "meg": "meg.meg_study",
    "localisation": "localisation.localisation_study",
}
"""The module of each study, relative to this package, by the name that ``nbfact study``
takes. A module is imported when its study is loaded, not before."""
