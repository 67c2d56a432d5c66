"""The nbfact command: one file for each subcommand."""
