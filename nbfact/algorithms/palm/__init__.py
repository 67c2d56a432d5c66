"""PALM, proximal alternating linearised minimisation, and what builds on it.

Start with ``sweep.py``: `Sweeps.sweep` is one sweep of palm4MSA in ten lines, the loop
over the factors. Then read ``palm4msa.py`` for the algorithm in the words of its paper.

A public function checks what it is given, once: the matrix becomes a `Problem`, the
options a frozen object. Then it calls the function named ``..._problem``, which other
algorithms call too, with a problem that they have already.

===================  ========================  =====================================
public function      what it runs
===================  ========================  =====================================
``palm4msa.py``      ``iterations.py``         factors in their sets, sweep by sweep
``hierarchical.py``  ``peeling.py``            one factor peeled off at a time
``explore.py``       ``leaky_exploration.py``  sweeps that remember what was dropped
``refine.py``        ``refinement.py``         the best values on fixed supports
``presets.py``                                 lists of constraints for `hierarchical`
===================  ========================  =====================================

Below these, from the outside of a run to its inside:

==========================  =======================================================
``sweep_options.py``        `SweepOptions`: the options of a run, checked once
``initial_factors.py``      the factors that a run starts from, and their sets
``iterations.py``           sweep after sweep until a rule says stop; the history
``sweep.py``                one sweep: step, projection, scale
``sides.py``                the gradient step, and what stands on both sides of it
``side_norms.py``           the norms ‖L‖ and ‖R‖ that set the length of a step
``factor_projection.py``    from a step to a factor in its set
``value_sweeps.py``         one sweep of `refine`
``least_squares.py``        the linear systems that `refine` solves
==========================  =======================================================
"""
