"""Rows of tables of claims: what was asked, what was found, and whether that holds."""

from collections.abc import Sequence
from typing import Any

from .rows import Row

WORDS = {
    "yes": ("holds", "hold"),
    "undecided": ("is undecided", "are undecided"),
    "no": ("does not", "do not"),
}
"""What a sentence says of one claim and of several, by the verdict."""


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
        "holds": "yes" if holds else "no",  # what a phone shows beside the claim
        "found": found,
        "asked": asked,
        "command": f"`{command}`",
    }


def in_words(lines: Sequence[Row]) -> str:
    """Return a sentence that says how many claims of a table hold.

    Parameters
    ----------
    lines : sequence of dict
        Rows with the column ``holds``: "yes", "no" or "undecided".

    Returns
    -------
    str
        Empty without rows.

    Examples
    --------
    >>> in_words([{"holds": "yes"}, {"holds": "no"}, {"holds": "yes"}])
    'Of the 3 claims that were examined, 2 hold and 1 does not.'
    >>> in_words([{"holds": "yes"}])
    'The one claim that was examined holds.'
    """
    counts = {word: sum(line["holds"] == word for line in lines) for word in WORDS}
    parts = [
        f"{count} {WORDS[word][count != 1]}" for word, count in counts.items() if count
    ]
    if len(lines) < 2:
        said = [WORDS[word][0] for word, count in counts.items() if count]
        return f"The one claim that was examined {said[0]}." if said else ""
    if len(parts) == 1:
        return (
            f"All {len(lines)} claims that were examined {parts[0].split(' ', 1)[1]}."
        )
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Of the {len(lines)} claims that were examined, {listed}."
