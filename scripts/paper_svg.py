# SPDX-License-Identifier: Apache-2.0
"""Two kinds of pictures as SVG text, from the standard library: lines over x, and groups of bars.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart; lines differ in their
marks, too.
"""

import math
from xml.sax.saxutils import escape

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 44, 56


def number(value):
    return f"{value:.4g}"


def put(x, y, words, anchor="middle", size=12, extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>'
            f"{escape(words)}</text>")


def mark(x, y, index):
    colour = COLOURS[index % len(COLOURS)]
    if index % 3 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    if index % 3 == 1:
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"/>'
    return (f'<path d="M{x - 5:.1f} {y + 4:.1f} L{x + 5:.1f} {y + 4:.1f} L{x:.1f} {y - 5:.1f} Z" '
            f'fill="{colour}"/>')


def frame(title, x_title, y_title, body):
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            put(LEFT, 24, title, "start", 15),
            put((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_title)]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    head.append(put(18, middle, y_title, extra=f' transform="rotate(-90 18 {middle:.1f})"'))
    return "\n".join(head + body + ["</svg>"]) + "\n"


def nice_top(value):
    """The first of 1, 2, 5 times a power of ten at or above a fifth of it, times whole steps."""
    step = 10 ** math.floor(math.log10(value / 5))
    step *= next(m for m in (1, 2, 5, 10) if m * step >= value / 5)
    return step, step * math.ceil(value / step - 1e-9)


def y_axis(top, step):
    """Grid lines and their numbers, and the function from a value to its height."""
    def at(value):
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top

    out = []
    for i in range(round(top / step) + 1):
        y = at(i * step)
        out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" '
                   'stroke="#dddddd"/>')
        out.append(put(LEFT - 8, y + 4, number(i * step), "end"))
    return out, at


def legend(names, marks):
    out = []
    for i, name in enumerate(names):
        y = TOP + 10 + 20 * i
        out.append(marks(WIDTH - RIGHT + 20, y, i))
        out.append(put(WIDTH - RIGHT + 32, y + 4, name, "start"))
    return out


def lines(title, x_title, y_title, ticks, series):
    """ticks: [(place, label)] over 0 .. 1; series: [(name, [(place, y)])]; NaN leaves a gap."""
    largest = max((y for _, points in series for _, y in points if math.isfinite(y)), default=1)
    step, top = nice_top(largest or 1)
    body, at = y_axis(top, step)

    def across(place):
        return LEFT + 20 + (WIDTH - RIGHT - LEFT - 40) * place

    for place, label in ticks:
        body.append(put(across(place), HEIGHT - BOTTOM + 18, label))
    for i, (_, points) in enumerate(series):
        seen = [(across(x), at(y)) for x, y in points if math.isfinite(y)]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in seen)
        body.append(f'<polyline points="{way}" fill="none" stroke-width="1.8" '
                    f'stroke="{COLOURS[i % len(COLOURS)]}"/>')
        body += [mark(x, y, i) for x, y in seen]
    return frame(title, x_title, y_title, body + legend([n for n, _ in series], mark))


def bars(title, x_title, y_title, groups, names, values):
    """values[group][name]; NaN leaves its place empty."""
    largest = max((v for row in values for v in row if math.isfinite(v)), default=1)
    step, top = nice_top(largest)
    body, at = y_axis(top, step)
    room = (WIDTH - RIGHT - LEFT) / len(groups)
    wide = 0.8 * room / len(names)
    for g, group in enumerate(groups):
        body.append(put(LEFT + room * (g + 0.5), HEIGHT - BOTTOM + 18, group))
        for i, value in enumerate(values[g]):
            if not math.isfinite(value):
                continue
            x, y = LEFT + room * (g + 0.1) + wide * i, at(value)
            body.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{0.92 * wide:.1f}" '
                        f'height="{at(0) - y:.1f}" fill="{COLOURS[i % len(COLOURS)]}"/>')
            body.append(put(x + wide / 2, y - 4, f"{value:.2g}", size=10))

    def swatch(x, y, i):
        return (f'<rect x="{x - 5}" y="{y - 5}" width="10" height="10" '
                f'fill="{COLOURS[i % len(COLOURS)]}"/>')

    return frame(title, x_title, y_title, body + legend(names, swatch))
