"""PALM, proximal alternating linearised minimisation, and what builds on it.

Start with ``palm4msa.py``: the algorithm in the words of its paper, and its options.

==========================  =======================================================
``palm4msa.py``             `palm4msa`: factors in their sets, one sweep after another
``hierarchical.py``         `hierarchical`: one factor peeled off at a time
``presets.py``              lists of constraints of the literature, for `hierarchical`
``explore.py``              `explore`: sweeps that remember what projections drop
``refine.py``               `refine`: the best values on supports that are fixed
==========================  =======================================================

Below these public functions, from the outside of a run to its inside:

==========================  =======================================================
``sweep_options.py``        `SweepOptions`: the options of a run, checked once
``initial_factors.py``      the factors that a run starts from
``iterations.py``           sweep after sweep until a rule says stop; the history
``sweeps.py``               one sweep: each factor steps along its gradient
``side_norms.py``           the norms ‖L‖ and ‖R‖ that set the length of a step
``factor_projection.py``    from a step to a factor in its set
``value_sweeps.py``         one sweep of `refine`
``least_squares.py``        the linear systems that `refine` solves
==========================  =======================================================
"""
