"""Tools that all studies share: options, rows, intervals, jobs, files, the runner."""
