"""Draw shares against a number as curves, in an image of a few lines of SVG."""

from collections.abc import Sequence

COLOURS = ("#888888", "#1b6ca8", "#b3313b", "#c77d0a", "#2a9d4a")
WIDTH, HEIGHT, EDGE = 640, 360, 48  # of the drawing, in pixels
_TEXT = 'font-family="sans-serif" font-size="13"'


def share_curves(
    titles: tuple[str, str],
    marks: Sequence[int],
    curves: dict[str, tuple[Sequence[float], Sequence[float]]],
    legend: bool,
) -> str:
    """Return an SVG image of shares between 0 and 1.

    Parameters
    ----------
    titles : (str, str)
        What is below the drawing, and above it.
    marks : sequence of int
        Numbers that the horizontal axis shows; it goes from the first to the last.
    curves : dict of str to (numbers, shares)
        The curves by their names, five at most.
    legend : bool
        Whether the names stand in a list, and not each at the end of its curve.
    """
    first, last = marks[0], marks[-1]

    def place(number, share):
        x = EDGE + (number - first) / (last - first) * (WIDTH - 2 * EDGE)
        return f"{x:.1f},{HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle" {_TEXT}>'
        f"{titles[0]}</text>",
        f'<text x="{EDGE}" y="20" {_TEXT}>{titles[1]}</text>',
    ]
    for share in (0, 0.5, 1):
        ends = place(first, share), place(last, share)
        parts.append(f'<polyline points="{" ".join(ends)}" stroke="#bbb" fill="none"/>')
        x, y = ends[0].split(",")
        parts.append(f'<text x="{float(x) - 38}" y="{y}" {_TEXT}>{share:.0%}</text>')
    for mark in marks:
        x, y = place(mark, 0).split(",")
        parts.append(
            f'<text x="{x}" y="{float(y) + 18}" text-anchor="middle" {_TEXT}>'
            f"{mark}</text>"
        )
    for row, (name, points) in enumerate(curves.items()):
        colour, line = COLOURS[row], [place(*one) for one in zip(*points, strict=True)]
        x, y = map(float, line[-1].split(","))
        x, y = x + 6, y + 4
        if legend:
            x, y = WIDTH - 2 * EDGE - 60, HEIGHT - 140 + 20 * row
        parts += [
            f'<polyline points="{" ".join(line)}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>',
            f'<text x="{x}" y="{y}" fill="{colour}" {_TEXT}>{name}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])
