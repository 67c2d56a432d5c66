"""learn_transform: the best product of sparse factors that it finds under a budget.

It tries the following, in this order. Each attempt is a `Trial`, whose `method` is the
name in quotes.

1. "largest entries": the largest entries of A as one factor.
2. The families of ``families/family_registry.py``: "named transform", "convolution",
   "low rank", "fixed butterfly" (the usual chain with the best of the permutations that
   have a name), "chain", "sparse + low rank", "identified butterfly" and "bipartition
   matching" (by `identify_butterfly`), "sum of products". With the budget `speedup`
   also "in blocks".

   Where one of these fits the budget and its error is only rounding, the search ends.
3. A short exploration, by `explore`, from each start (`starts` in ``starts.py``) with
   2, 3, 4 and log2(min(m, n)) factors: "identities"; "target last" and "target first",
   which are identities and A; "singular vectors"; "hierarchical"; "random"; and from
   what step 2 found.
4. A long exploration from the best few of these; ", explored" follows the name.
5. Explorations again from the best two so far; ", annealed" follows the name.
6. Least squares from the best product; ", refined" follows the name.

`BudgetSearch` in ``budget_search.py`` runs all six. With the argument `error` they run
for one budget after another (`smallest` in ``learn_transform.py``).

========================  =========================================================
``learn_transform.py``    the public function, and the search for the smallest budget
``budget_search.py``      the search under one budget
``stages.py``             one exploration, and the point in time that ends it
``learn_options.py``      the options, and what each effort spends
``starts.py``             what trials start from; how factors share a budget
``finalists.py``          which starts are explored for long, and again
``best_outcome.py``       the best of what was found, in words and as an operator
``product_budget.py``     the budget that is the time of one product
``lighter_products.py``   fewer entries, where a product takes too long
``product_timing.py``     measured times of products
``budget_tradeoff.py``    several budgets, with measured times: `tradeoff`
``families/``             the structures that are looked for, one file each
``outcomes.py``           what is returned: `LearnedTransform` and its trials
========================  =========================================================
"""
