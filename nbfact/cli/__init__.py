"""The ``nbfact`` command: ``app.py`` puts it together from a file for each subcommand.

``options.py`` has the options that several subcommands share, ``messages.py`` what a
mistake of the user prints, and ``default_constraints.py`` the sets of ``factorize``.
"""
