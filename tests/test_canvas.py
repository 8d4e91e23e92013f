"""The brushes of drawn scenes: coverage is area, whatever the size and the place."""
import numpy as np
import pytest

from context_inpaint import canvas
from context_inpaint.canvas import (
    Canvas,
    box,
    coverage,
    curve,
    disc,
    line_coverage,
    noise,
    polygon,
    rgb,
    stripe_coverage,
    stroke,
    window_grid,
)


def blank(side, seed=2): return Canvas(side, np.random.default_rng(seed))


def test_every_brush_is_listed_and_described():
    assert all(getattr(canvas, name).__doc__ for name in canvas.__all__)


def test_coverage_is_area():
    d = np.linspace(-2, 2, 4001)
    assert np.isclose(coverage(d, .5).mean()*4, 2, atol=1e-3)
    for r in (.01, .3, 1.):
        assert np.isclose(line_coverage(d, r, .4).mean()*4, 2*r, atol=2e-3), "a line deposits its own width"
    u = np.random.default_rng(0).random((200, 1))*20 - 10
    for width in (.05, .8, 3.3):
        sampled = ((u + width*((np.arange(4000) + .5)/4000 - .5)) % 1 < .3).mean(1)
        assert np.allclose(stripe_coverage(u[:, 0], width, .3), sampled, atol=2e-3)


@pytest.mark.parametrize("side", [8, 40])
def test_shapes_deposit_their_area_wherever_they_lie(side):
    rng, white = np.random.default_rng(1), rgb(1, 1, 1)
    corners = [(.1, .2), (.1, .8), (.8, .8), (.8, .2)]
    for _ in range(10):
        x, y, w, h = .3 + .2*rng.random(), .3 + .2*rng.random(), .3*rng.random() + .01, .3*rng.random() + .01
        for brush, place, area in ((box, (x, y, x + w, y + h, white), w*h),
                                   (stroke, (x, y, x + w, y, .004, .004, white), .008*w),
                                   (polygon, (corners, white), .42), (polygon, (corners[::-1], white), .42)):
            c = blank(side)
            brush(c, *place)
            assert np.isclose(c.image[0].mean(), area, rtol=.03, atol=1e-4), brush.__name__
    c = blank(side)
    disc(c, .5, .4, .3, white)
    assert np.isclose(c.image[0].mean(), np.pi*.09, rtol=.02)


@pytest.mark.parametrize("side", [5, 16, 64])
def test_a_wall_of_windows_shines_alike_at_every_size(side):
    c = blank(side)
    window_grid(c, .1, .2, .9, .7, 3, 4, rgb(0, 0, 0), rgb(1, 1, 1), 1)
    brightness = .6 + .3*np.random.default_rng(2).random(24)[12:]                # the first twelve say which are lit
    size = (.8/4*.66)*(.5/3*.6)                                                  # of one window
    assert np.isclose(c.image[0].mean(), brightness.sum()*size, rtol=.02)


def test_a_small_texture_is_the_mean_of_a_large_one():
    small, large = (noise(blank(side), 30, 9, 2) for side in (32, 128))
    assert np.abs(small - large.reshape(32, 4, 32, 4).mean((1, 3))).max() < .02 and small.std() > .15
    assert np.abs(curve(blank(32), 9, 2) - curve(blank(128), 9, 2).reshape(32, 4).mean(1)).max() < .02


def test_paint_is_mixed_by_coverage_and_stays_on_its_patch():
    c = blank(8)
    c.image[:] = .5
    patch, y, x = c.around(.25, .25, .5, .5)
    assert y.shape == (5, 1) and x.shape == (1, 5)
    c.fill(.5, rgb(1, .5, 0), patch)
    assert np.allclose(c.image[:, 3, 3], (.75, .5, .25)) and (c.image[:, 6:] == .5).all()
