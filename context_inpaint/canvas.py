"""Brushes for drawn scenes: areas instead of samples, so that a picture is the same scene at every size.

A plain file without a lesson of its own: "Where do endless pictures come from?" derives the formulas and shows every
brush at work. Everything is painted on a square of side 1, x to the right and y down.
"""
from __future__ import annotations

from functools import lru_cache
from math import hypot
from types import EllipsisType

import numpy as np
from scipy import sparse

__all__ = ["coverage", "line_coverage", "stripe_coverage", "subpixel_positions", "spline_weights", "Canvas", "mix",
           "rgb", "noise", "curve", "box", "disc", "below", "stroke", "polygon", "window_grid", "reflect", "ground"]


def coverage(distance: np.ndarray, pixel: float | np.ndarray) -> np.ndarray:
    """Return the share of a pixel of side `pixel` that lies inside a shape, 0 to 1, from the signed distance of its
    centre to the shape's edge (negative inside)."""
    return (.5 - distance/pixel).clip(0, 1)


def line_coverage(distance: np.ndarray, radius: float | np.ndarray, pixel: float | np.ndarray) -> np.ndarray:
    """Return the share of a pixel within `radius` of a line, however thin: one half-plane minus another."""
    return coverage(distance - radius, pixel) - coverage(distance + radius, pixel)


def stripe_coverage(u: np.ndarray, width: float | np.ndarray, duty: float = .5) -> np.ndarray:
    """Return the share of an interval of `width` around `u` whose fractional part is below `duty`: endless stripes,
    averaged exactly."""
    low, high = np.floor(u - width/2), np.floor(u + width/2)
    return (duty*(high - low) + np.minimum(u + width/2 - high, duty) - np.minimum(u - width/2 - low, duty))/width


@lru_cache(maxsize=64)
def subpixel_positions(side: int) -> np.ndarray:
    """Return four positions in each of the `side` pixels that span the unit interval: float32 `[side, 4]`."""
    return ((np.arange(4*side) + .5)/(4*side)).astype(np.float32).reshape(side, 4)


def spline_weights(positions: np.ndarray, cells: int) -> sparse.csr_array:
    """Return what `cells` + 3 knots weigh at `positions` `[n, 4]`, averaged over the four: sparse `[n, cells + 3]`.

    The curve through the knots is a cubic B-spline, so four knots count at any position.
    """
    away = np.abs(positions.reshape(-1, 1)*cells - np.arange(-1, cells + 2, dtype=np.float32))
    near, far = np.maximum(1 - away, 0), np.maximum(2 - away, 0)
    weights = (far*far*far - 4*near*near*near)/6                    # [4 n, cells + 3]
    return sparse.csr_array(weights.reshape(-1, 4, cells + 3).mean(1))


@lru_cache(maxsize=256)
def _pixel_weights(side: int, cells: int) -> sparse.csr_array: return spline_weights(subpixel_positions(side), cells)


class Canvas:
    """A square picture being painted, `image` float32 `[3, side, side]`; every choice is drawn from `rng`.

    `x` `[1, side]` and `y` `[side, 1]` are the pixels' centres, both from 0 to 1, and `pixel` is a pixel's side.
    """

    def __init__(self, side: int, rng: np.random.Generator):
        self.side, self.pixel, self.rng = side, 1/side, rng
        self.x = subpixel_positions(side).mean(1)[None]
        self.y = self.x.T
        self.image = np.zeros((3, side, side), np.float32)

    def between(self, low: float, high: float) -> float:
        """Draw a number: only uniform draws are made, which NumPy keeps the same everywhere."""
        return low + (high - low)*self.rng.random()

    def around(self, x0: float, y0: float, x1: float, y1: float) -> tuple[tuple[slice, ...], np.ndarray, np.ndarray]:
        """Return the patch of pixels that a box can touch, and y and x there: no work is done where nothing changes."""
        rows, columns = (slice(max(0, int(low*self.side - 1)), max(0, int(high*self.side + 2)))
                         for low, high in ((y0, y1), (x0, x1)))
        return (slice(None), rows, columns), self.y[rows], self.x[:, columns]

    def fill(self, coverage: np.ndarray | float, colour: np.ndarray,
             patch: tuple[slice, ...] | EllipsisType = ...) -> None:
        """Paint `colour` `[3, 1, 1]`, or one for each pixel of the picture, on a patch: all of it where `coverage` is
        1, a mixture with what was there where it is less."""
        picture = self.image[patch]
        if colour.shape[1:] == self.image.shape[1:]: colour = colour[patch]
        picture += coverage*(colour - picture)


def mix(a, b, share):
    """Return what lies `share` of the way from `a` to `b`: numbers, colours or pictures."""
    return a + (b - a)*share


def rgb(r: float, g: float, b: float) -> np.ndarray:
    """Return a colour as a float32 array `[3, 1, 1]`."""
    return np.array([r, g, b], np.float32)[:, None, None]


def noise(c: Canvas, rows: int, columns: int, octaves: int = 1, down: sparse.csr_array | None = None) -> np.ndarray:
    """Return a smooth random texture `[side, side]`, mean 0, about ±0.8: random knots between two matrices of weights.

    Parameters
    ----------
    c : Canvas
    rows, columns : int
        Cells of the lattice of knots, down and across.
    octaves : int
        How many textures are added, each twice as fine and half as high as the one before.
    down : sparse array [side, rows + 3], optional
        The weights of the knots down the picture; by default those of equal cells.
    """
    total = np.zeros((c.side, c.side), np.float32)
    for k in range(octaves):
        knots = (2*c.rng.random(((rows << k) + 3, (columns << k) + 3)) - 1).astype(np.float32)
        left = _pixel_weights(c.side, rows << k) if down is None else down
        total = total + left @ (_pixel_weights(c.side, columns << k) @ knots.T).T/2**k
    return total


def curve(c: Canvas, cells: int, octaves: int = 1) -> np.ndarray:
    """Return a smooth random curve, one value for each column, `[side]`: as `noise`, along x alone."""
    total = np.zeros(c.side, np.float32)
    for k in range(octaves):
        knots = (2*c.rng.random((cells << k) + 3) - 1).astype(np.float32)
        total = total + _pixel_weights(c.side, cells << k) @ knots/2**k
    return total


def box(c: Canvas, x0: float, y0: float, x1: float, y1: float, colour: np.ndarray) -> None:
    """Paint the upright rectangle from (`x0`, `y0`) to (`x1`, `y1`): its coverage is exactly a product of two."""
    patch, y, x = c.around(x0, y0, x1, y1)
    rows = line_coverage(y - (y0 + y1)/2, (y1 - y0)/2, c.pixel)
    columns = line_coverage(x - (x0 + x1)/2, (x1 - x0)/2, c.pixel)
    c.fill(rows*columns, colour, patch)


def disc(c: Canvas, cx: float, cy: float, radius: float, colour: np.ndarray) -> None:
    """Paint a disc around (`cx`, `cy`)."""
    patch, y, x = c.around(cx - radius, cy - radius, cx + radius, cy + radius)
    c.fill(coverage(np.hypot(x - cx, y - cy) - radius, c.pixel), colour, patch)


def below(c: Canvas, top: np.ndarray) -> np.ndarray:
    """Return the coverage `[side, side]` of all that lies below the curve y = `top` `[side]`, by the first-order
    distance."""
    slope = np.gradient(top)*c.side if c.side > 1 else 0*top
    return coverage((top - c.y)/np.sqrt(1 + slope*slope), c.pixel)


def stroke(c: Canvas, x0: float, y0: float, x1: float, y1: float, r0: float, r1: float, colour: np.ndarray,
           opacity: float = 1., shading: float = 0.) -> None:
    """Paint a straight stroke.

    Parameters
    ----------
    c : Canvas
    x0, y0, x1, y1 : float
        Where it begins and ends.
    r0, r1 : float
        Half of its width, there and there.
    colour : float array [3, 1, 1] or [3, side, side]
    opacity : float
        0 to 1.
    shading : float
        How much lighter one edge is, and darker the other, as on a pillar that is lit from the side.
    """
    length, reach = hypot(x1 - x0, y1 - y0), max(r0, r1)
    patch, y, x = c.around(min(x0, x1) - reach, min(y0, y1) - reach, max(x0, x1) + reach, max(y0, y1) + reach)
    along_x, along_y = (x1 - x0)/length, (y1 - y0)/length
    y, x = y - y0, x - x0
    along, across = x*along_x + y*along_y, x*along_y - y*along_x
    radius = r0 + (r1 - r0)*(along/length).clip(0, 1)
    if shading:
        here = colour[patch] if colour.shape[-1] > 1 else colour
        colour = here*(1 + shading*(across/radius).clip(-1, 1))
    inside = line_coverage(across, radius, c.pixel)
    c.fill(opacity*inside*line_coverage(along - length/2, length/2, c.pixel), colour, patch)


def polygon(c: Canvas, points: list[tuple[float, float]], colour: np.ndarray, opacity: float = 1.) -> None:
    """Paint a convex polygon, given by its corners (x, y): the distance is the largest of those to its edges."""
    xs, ys = zip(*points)
    patch, y, x = c.around(min(xs), min(ys), max(xs), max(ys))
    (ax, ay), (bx, by), (dx, dy) = points[:3]
    turn = 1 if (bx - ax)*(dy - by) > (by - ay)*(dx - bx) else -1   # clockwise or not: which side of an edge is inside
    distance = np.array(-np.inf, np.float32)
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1]):
        scale = turn/hypot(bx - ax, by - ay)
        distance = np.maximum(distance, (x - ax)*((by - ay)*scale) - (y - ay)*((bx - ax)*scale))
    c.fill(opacity*coverage(distance, c.pixel), colour, patch)


def window_grid(c: Canvas, x0: float, y0: float, x1: float, y1: float, n: int, m: int, dark: np.ndarray,
                lit: np.ndarray, share: float) -> None:
    """Paint rows of windows: how much the rows cover, a random table of lights, how much the columns cover, multiplied.

    Parameters
    ----------
    c : Canvas
    x0, y0, x1, y1 : float
        The wall's corners.
    n, m : int
        Rows, and windows in each.
    dark, lit : float arrays [3, 1, 1]
        Colours of a window without and with light in it.
    share : float
        How many are lit, 0 to 1.
    """
    down, across = (y1 - y0)/n, (x1 - x0)/m
    patch, y, x = c.around(x0, y0, x1, y1)
    middles = (y0 + (np.arange(n) + .5)*down).astype(np.float32)
    rows = line_coverage(y - middles, .3*down, c.pixel)                          # [pixels down, n]
    middles = (x0 + (np.arange(m) + .5)*across).astype(np.float32)[:, None]
    columns = line_coverage(x - middles, .33*across, c.pixel)                    # [m, pixels across]
    light = np.where(c.rng.random((n, m)) < share, .6, .0) + .3*c.rng.random((n, m))
    picture = c.image[patch]
    covered = rows.sum(1, keepdims=True)*columns.sum(0)
    picture += covered*(dark - picture) + rows @ light.astype(np.float32) @ columns*(lit - dark)


def reflect(c: Canvas, shore: float, tint: np.ndarray, ripple: float) -> None:
    """Turn all below `shore` into water that mirrors the picture above it, `ripple` high waves on it."""
    depth = np.maximum(c.y - shore, 0)
    source = (2*shore - c.y + ripple*(depth + .02)*noise(c, 48, 6))*c.side - .5  # the row to look up, [side, side]
    source = source.clip(0, max(c.side - 1.001, 0))
    row, column = source.astype(np.int32), np.arange(c.side)
    mirrored = mix(c.image[:, row, column], c.image[:, np.minimum(row + 1, c.side - 1), column], source % 1)
    c.fill(coverage(shore - c.y, c.pixel), mix(mirrored, tint, .2 + .5*depth))


def ground(c: Canvas, h: float, x: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return, for a plane that vanishes at (`x`, `h`): nearness, place across, and how much of the place across and of
    1/nearness a pixel spans."""
    near = np.maximum(c.y - h, c.pixel/4)
    across = (c.x - x)/near
    return near, across, c.pixel*(1 + np.abs(across))/near, c.pixel/near**2
