"""Rows of tables of claims: what was asked, what was found, and whether that holds."""

from typing import Any

from .rows import Row


def claim_row(claim: str, asked: str, found: str, holds: Any, command: str) -> Row:
    """Return the row of a claim.

    Parameters
    ----------
    claim, asked, found : str
        What is claimed of what, which value was asked for, and which one was found.
    holds : bool
        Whether the value found is as asked.
    command : str
        The command that prints the row, without backticks.

    Returns
    -------
    dict

    Examples
    --------
    >>> claim_row("error", "at most 0.1", "0.2", False, "nbfact study noise")["holds"]
    'no'
    """
    return {
        "claim": claim,
        "asked": asked,
        "found": found,
        "holds": "yes" if holds else "no",
        "command": f"`{command}`",
    }
