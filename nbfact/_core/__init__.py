"""What every floor may use: checks, dtypes, angles, files, jobs and dask arrays."""
