"""Compare versions of a package: two side by side a verdict for each case, and history.

Whether a case is slower, the same or less accurate is decided in ``verdicts.py``, from
samples and errors alone, and what else speaks against a version in ``findings.py``;
``batches.py`` puts that together with what has no samples: a case that is broken,
missing, changed or new. The other files make the samples and show the verdicts:

============================  ==========================================================
``revisions.py``              which version a name means, and its sources
``clone.py``                  the clone around a package, and its commits
``wheels.py``                 versions from wheels and from releases of an index
``renaming.py``               imports of a package by its own name, under an alias
``alongside.py``              the process in which the versions are imported and timed
``sampling.py``               the clocks and the rounds of one process
``replay.py``                 a call with inputs that it has not seen
``variation.py``              inputs that differ a little from call to call
``sharing.py``                the same arrays as inputs of two versions
``batches.py``                the processes of a comparison, in batches
``first_calls.py``            first calls with an empty cache of kernels
``compiling.py``              what each kernel costs to compile
``comparison.py``             one comparison, from names of versions to rows
``verdicts.py``               what the samples say: ratio, noise floor, verdict
``findings.py``               the rest: memory, first calls, waiting, repeatability
``waivers.py``                verdicts that a project accepts, with a reason
``verdict_table.py``          verdicts as a table in a terminal
``comment.py``                what a gate found, as a comment on a pull request
``gating.py``                 what the commands ``compare`` and ``gate`` print
``bisecting.py``              the commit that made a case worse
``bisect_table.py``           what the command ``bisect`` prints
``milestones.py``             commits beside a baseline: a history of ratios
``change_points.py``          the commits at which a measurement changed
``asv_history.py``            ``nbfact history``: the asv suite over commits
``asv_setup.py``              what asv is given: configuration, machine, patterns
============================  ==========================================================
"""
