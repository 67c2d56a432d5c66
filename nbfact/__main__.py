"""Run the ``nbfact`` command as ``python -m nbfact``."""

from .cli.app import main

if __name__ == "__main__":
    raise SystemExit(main())
