"""``python -m nbfact`` is the ``nbfact`` command."""

from .cli.app import main

if __name__ == "__main__":
    raise SystemExit(main())
