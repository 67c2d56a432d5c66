"""The report: results of any runs and machines as one page with its data and drawing.

``write.py`` is where it starts: it writes the page and its summary.

============================  ==========================================================
``fields.py``                 what is in a row, read with care, and rows put together
``asvfiles.py``               the results of asv
``reading.py``                the results of everything
``curves.py``                 what is drawn: fronts, winners, break-evens, roofs
``timelines.py``              measurements over commits
``trends.py``                 ratios of commits to a baseline, and changes in lines
``change_list.py``            the changes as a table, and ``nbfact history --changes``
``figures.py``                the rows of each chart, with caption and description
``charts.py``                 the Vega-Lite specification of each kind of chart
``summaries.py``              tables and verdicts as text
``provenance.py``             tables of machines, runs and files
``sections.py``               what a section shows, and its selectors
``pages.py``                  the sections, the page and its Markdown summary
``report.html, .css, .js``    the page around them
============================  ==========================================================
"""
