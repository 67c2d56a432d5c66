"""``python -m nbfact`` is the ``nbfact`` command."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
