"""Write docs/bibliography/references.md from docs/references.bib.

``python docs/bibliography/make_references.py`` writes the page, and
``tests/test_bibliography.py`` checks that it is in step with its source. A field of an
entry stands on one line, ``name = {value}``.
"""

import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
PAGE = DOCS / "bibliography" / "references.md"
SOURCE = DOCS / "references.bib"

HEAD = """\
# References

This page is made from `docs/references.bib` by `docs/bibliography/make_references.py`.
It has {count} entries. {verified} of them are *verified*: title, authors (surnames and
initials) and venue were compared with a record of the publisher, of arXiv, of HAL, or
in the authors' own repository. For each other entry the line *Record* says what was
not. Given names in the source are from memory. **Verified is the record, not the
work**: what a work proves or measures is stated on the pages that cite it, and these
say what was checked here.

The line *In nbfact* names what of nbfact implements the work or a variant of it, what
measures it beside something else, the nearest thing where there is neither, and what
nbfact does not have. Docstrings name an entry by its key in brackets, as in
[lemagoarou2016].
"""

Entry = dict[str, str]


def entries(text: str) -> dict[str, Entry]:
    """Return the entries of a BibTeX file by key; their type is the field ``type``."""
    found: dict[str, Entry] = {}
    for kind, key, body in re.findall(
        r"^@(\w+)\{([^,]+),\n(.*?)^\}$", text, re.M | re.S
    ):
        if key in found:
            raise ValueError(f"two entries with the key {key}")
        fields = re.findall(r"^  (\w+) = \{(.*)\},?$", body, re.M)
        if len(fields) != len(body.splitlines()):
            raise ValueError(f"{key}: a field is one line, name = {{value}}")
        found[key] = {"type": kind, **dict(fields)}
    return found


def citations() -> dict[str, list[str]]:
    """Return the pages of docs/ that link to each entry."""
    pages: dict[str, list[str]] = {}
    for path in sorted(DOCS.rglob("*.md")):
        if path == PAGE:
            continue
        text = path.read_text(encoding="utf-8")
        for key in sorted(set(re.findall(r"references\.md#([\w-]+)", text))):
            pages.setdefault(key, []).append(path.relative_to(DOCS).as_posix())
    return pages


def listed(words: list[str]) -> str:
    """Return the words as a list in a sentence."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def person(name: str) -> str:
    """Return "L. Le Magoarou" for "Le Magoarou, Luc"."""
    last, _, first = name.partition(", ")
    parts = re.split(r"([ -])", first)
    initials = "".join(part if part in " -" else f"{part[0]}." for part in parts)
    return f"{initials} {last}".strip()


def reference(entry: Entry) -> str:
    """Return one entry as a sentence with links."""
    authors = entry["author"].split(" and ")
    if authors[-1] == "others":
        who = f"{', '.join(map(person, authors[:-1]))} and others"
    else:
        who = listed([person(name) for name in authors])
    where = [
        entry.get(name)
        for name in ("journal", "booktitle", "institution", "howpublished")
    ]
    venue = ", ".join(part for part in where if part)
    if "volume" in entry:
        number = f"({entry['number']})" if "number" in entry else ""
        venue += f" {entry['volume']}{number}"
    if "pages" in entry:
        venue += f", pages {entry['pages']}"
    parts = [f"{who}. *{entry['title']}*.", f"{venue}, {entry['year']}.".lstrip(", ")]
    if "doi" in entry:
        parts.append(f"[doi:{entry['doi']}](https://doi.org/{entry['doi']}).")
    if "eprint" in entry:
        number = entry["eprint"]
        parts.append(f"[arXiv:{number}](https://arxiv.org/abs/{number}).")
    return " ".join(parts).replace("--", "\u2013")


def linked(name: str) -> str:
    """Return a name of nbfact as a link that the site resolves."""
    if name.startswith("study "):
        study = name.removeprefix("study ")
        return f"[study {study}](../studies.md#{study})"
    return f"{{py:obj}}`nbfact{name.removeprefix('nf')}`"


RELATIONS = {
    "implemented": "implemented by",
    "compared": "compared in",
    "related": "nearest:",
}
"""Fields that name things of nbfact, and how the page says each."""


def names(entry: Entry, field: str) -> list[str]:
    """Return the names of nbfact that a field of an entry lists."""
    return [name.strip() for name in entry.get(field, "").split(",") if name.strip()]


def paragraphs(key: str, entry: Entry, pages: list[str]) -> Iterator[str]:
    """Yield the heading of an entry, its reference, and what is said of it."""
    yield f"## {key}"
    yield reference(entry)
    relations = [
        f"{words} {listed([linked(name) for name in names(entry, field)])}"
        for field, words in RELATIONS.items()
        if field in entry
    ]
    lines = [f"- *In nbfact:* {'; '.join(relations)}."]
    if "absent" in entry:
        lines[0] += f" Not there: {entry['absent']}"
    lines.append(f"- *Record:* {entry['note']}")
    links = [f"[{Path(page).stem}](../{page})" for page in pages]
    lines.append(f"- *Cited in:* {listed(links) if links else 'no page'}.")
    yield "\n".join(lines)


def page() -> str:
    """Return the text of the page."""
    found = entries(SOURCE.read_text(encoding="utf-8"))
    pages = citations()
    verified = sum(entry["keywords"] == "verified" for entry in found.values())
    parts = [HEAD.format(count=len(found), verified=verified).rstrip()]
    for key in sorted(found):
        parts.extend(paragraphs(key, found[key], pages.get(key, [])))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
