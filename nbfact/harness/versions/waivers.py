"""Waivers: verdicts that a project accepts, with a reason and for a limited time.

A file of waivers is TOML, by default ``benchmarks/waivers.toml``::

    [[waiver]]
    case = "palm4msa sweeps*"   # a text in the name of the case, or a glob
    verdict = "changed"         # the verdict that is accepted
    reason = "targets.planted draws its signs in another order"
    expires = 2027-03-01        # the last day on which it holds
"""

import datetime
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..case import matches
from . import verdicts

DEFAULT = Path("benchmarks", "waivers.toml")
"""The file that is read where no other one is named, if it exists."""

_KEYS = {"case": str, "verdict": str, "reason": str, "expires": datetime.date}


@dataclass(frozen=True)
class Waiver:
    """One accepted verdict; see :mod:`nbfact.harness.versions.waivers`.

    Parameters
    ----------
    case, verdict, reason : str
        Pattern of the names of cases, the verdict, and why it is accepted.
    expires : datetime.date
        The last day on which the waiver holds.
    """

    case: str
    verdict: str
    reason: str
    expires: datetime.date


def read_waivers(path: Path | None = None) -> list[Waiver]:
    """Return the waivers in a file, none where the default file does not exist.

    Parameters
    ----------
    path : path, optional
        The file; by default :data:`DEFAULT`.

    Returns
    -------
    list of Waiver

    Raises
    ------
    ValueError
        When the file is no TOML, or a waiver in it lacks a key, holds another one, or
        names a verdict that passes anyway.
    OSError
        When a file that was named cannot be read.
    """
    if path is None and not DEFAULT.exists():
        return []
    path = path or DEFAULT
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise type(error)(f"--waivers {path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if set(listed) - {"waiver"} or not isinstance(listed.get("waiver", []), list):
        raise ValueError(f"{path}: expected [[waiver]] and nothing else")
    found = []
    for number, one in enumerate(listed.get("waiver", []), start=1):
        wrong = _wrong(one)
        if wrong:
            raise ValueError(f"{path}, waiver {number}: {wrong}")
        found.append(Waiver(**one))
    return found


def apply(
    rows: Iterable[dict], waivers: Sequence[Waiver], today: datetime.date
) -> list[str]:
    """Write the reasons of waivers into the rows of verdicts that they accept.

    Parameters
    ----------
    rows : iterable of dict
        Rows of kind ``verdict``; the reason is put under ``waived``.
    waivers : sequence of Waiver
        From :func:`read_waivers`.
    today : datetime.date
        The present day.

    Returns
    -------
    list of str
        Messages about waivers that would accept a verdict and have expired.
    """
    expired = []
    for row in rows:
        for waiver in waivers:
            if waiver.verdict != row["verdict"] or not matches(
                row["case"], waiver.case
            ):
                continue
            if today <= waiver.expires:
                row["waived"] = waiver.reason
            else:
                expired.append(
                    f"waiver of {row['case']!r} expired on {waiver.expires}: "
                    f"{waiver.reason}"
                )
    return expired


def _wrong(one):
    """Return what is wrong with the keys and values of a waiver, or nothing."""
    if not isinstance(one, dict) or one.keys() != _KEYS.keys():
        return f"expected the keys {', '.join(_KEYS)}"
    for key, kind in _KEYS.items():
        if not isinstance(one[key], kind) or not one[key]:
            return f"{key}: expected a {'date' if kind is datetime.date else 'text'}"
    if one["verdict"] not in verdicts.EXIT_CODES:
        known = ", ".join(verdicts.EXIT_CODES)
        return f"verdict {one['verdict']!r}; expected one of {known}"
    return ""
