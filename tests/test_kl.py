"""The divergence: closed form, integral and samples against each other and against torch.distributions; bad input."""
import math

import pytest
import torch
from torch.distributions import Exponential, Independent, Normal, Uniform, kl_divergence

from context_inpaint.core import InputError, generator
from context_inpaint.kl import gaussian_kl, kl_by_integration, kl_by_sampling

LINE = torch.linspace(-40, 40, 4001, dtype=torch.double)


def numbers(*shape, seed=0): return torch.randn(*shape, dtype=torch.double, generator=generator(seed))


def normal(mean, log_variance): return Normal(mean, (log_variance/2).exp())


def scalar(value): return torch.tensor(value, dtype=torch.double)


@pytest.mark.parametrize("seed", range(3))
def test_closed_form_is_that_of_torch(seed):
    a, b, c, d = numbers(4, 50, 7, seed=seed)*2
    theirs = kl_divergence(Independent(normal(a, b), 1), Independent(normal(c, d), 1))
    torch.testing.assert_close(gaussian_kl(a, b, c, d), theirs, atol=1e-6, rtol=1e-9)
    theirs = kl_divergence(Independent(normal(a, b), 1), Independent(normal(0*a, 0*b), 1))
    torch.testing.assert_close(gaussian_kl(a, b), theirs, atol=1e-6, rtol=1e-9)


def test_by_hand():
    assert gaussian_kl(torch.tensor([3.]), torch.tensor([0.])) == 4.5  # μ²/2
    assert float(gaussian_kl(scalar([0.]), scalar([2.]))) == pytest.approx((math.e**2 - 3)/2)
    assert float(gaussian_kl(scalar([1.]), scalar([0.]), 3., math.log(4))) == pytest.approx(math.log(2) + 5/8 - 1/2)


def test_closed_form_is_the_integral():
    for a, b, c, d in numbers(4, 30, seed=3).T:
        integral = kl_by_integration(normal(a, b).log_prob, normal(c, d).log_prob, LINE)
        assert float(gaussian_kl(a[None], b[None], c[None], d[None])) == pytest.approx(float(integral), abs=1e-6)


@pytest.mark.parametrize("varied", [False, True])
def test_closed_form_is_within_four_standard_errors_of_sampling(varied):
    p, q = Normal(scalar([.4, -.2, 0.]), scalar([1., .9, 1.1])), Normal(scalar([0., 0., .3]), scalar([1., 1., 1.]))
    samples = p.mean + p.stddev*numbers(40_000, 3, seed=4)
    estimate, error = kl_by_sampling(Independent(p, 1).log_prob, Independent(q, 1).log_prob, samples, varied)
    exact = gaussian_kl(p.mean, 2*p.stddev.log(), q.mean, 2*q.stddev.log())
    assert abs(estimate - exact) < 4*error < .1*exact


def test_never_negative_and_zero_only_where_equal():
    a, b, c, d = (v[..., None] for v in numbers(4, 20_000, seed=5)*3)
    assert (gaussian_kl(a, b, c, d) > 0).all()
    assert (gaussian_kl(a, b, a, b) == 0).all() and (gaussian_kl(0*a, 0*b) == 0).all()
    for step in (-.01, .01):
        assert (gaussian_kl(a + step, b, a, b) > 0).all() and (gaussian_kl(a, b + step, a, b) > 0).all()


def test_not_symmetric():
    a, b = torch.zeros(1), torch.ones(1)
    assert gaussian_kl(a, b) != gaussian_kl(a, 0*b, a, b)


def test_gradients():
    a, b, c, d = (v.requires_grad_() for v in numbers(4, 6, 5, seed=6))
    gaussian_kl(a, b).sum().backward()
    torch.testing.assert_close(a.grad, a.detach())
    torch.testing.assert_close(b.grad, (b.detach().exp() - 1)/2)
    equal = c.detach().clone().requires_grad_(), d.detach().clone().requires_grad_()
    for gradient in torch.autograd.grad(gaussian_kl(*equal, c, d).sum(), (*equal, c, d)):
        assert (gradient.abs() < 1e-12).all()


def test_shapes():
    a, b = numbers(2, 4, 3, 5)
    assert gaussian_kl(a, b).shape == (4, 3) and gaussian_kl(a[0, 0], b[0, 0]).shape == ()
    spread = gaussian_kl(a, b, a[0, 0].expand_as(a), b[:, :1].expand_as(b))
    torch.testing.assert_close(gaussian_kl(a, b, a[0, 0], b[:, :1]), spread)
    assert gaussian_kl(a[:, :, :1], b).shape == (4, 3)
    spread = gaussian_kl(a, b, torch.ones_like(a), torch.full_like(b, -.5))
    torch.testing.assert_close(gaussian_kl(a, b, 1., -.5), spread)


def test_adds_up_over_values():
    a, b, c, d = numbers(4, 8, 6, seed=7)
    parts = gaussian_kl(a[..., None], b[..., None], c[..., None], d[..., None])
    torch.testing.assert_close(parts.sum(-1), gaussian_kl(a, b, c, d))
    torch.testing.assert_close(gaussian_kl(a[:, :2], b[:, :2]) + gaussian_kl(a[:, 2:], b[:, 2:]), gaussian_kl(a, b))


def test_units_do_not_matter():
    a, b, c, d = numbers(4, 8, 6, seed=8)
    scaled = gaussian_kl(10*a, b + 2*math.log(10), 10*c, d + 2*math.log(10))
    torch.testing.assert_close(scaled, gaussian_kl(a, b, c, d))


def test_float32():
    near = torch.linspace(-1e-3, 1e-3, 1001)[:, None]
    for mean in (0*near, near):
        assert (gaussian_kl(mean, near) - gaussian_kl(mean.double(), near.double())).abs().max() < 2e-7
    a, b = torch.linspace(-3, 3, 61)[:, None], torch.linspace(-40, 10, 61)[:, None]
    torch.testing.assert_close(gaussian_kl(a, b), gaussian_kl(a.double(), b.double()).float(), rtol=1e-5, atol=1e-5)
    tight = torch.full_like(a, -30.)
    exact = gaussian_kl(*(v.double() for v in (a, tight, a, tight + 1)))
    torch.testing.assert_close(gaussian_kl(a, tight, a, tight + 1), exact.float())
    assert gaussian_kl(a, b).dtype == torch.float


def test_integral_of_other_densities():
    line = torch.linspace(0, 60, 60_001, dtype=torch.double)
    p, q = Exponential(scalar(2.)), Exponential(scalar(.5))
    assert float(kl_by_integration(p.log_prob, q.log_prob, line)) == pytest.approx(float(kl_divergence(p, q)), abs=1e-5)


def test_integral_where_a_density_is_zero():
    line = torch.linspace(-1, 3, 4001, dtype=torch.double)
    narrow, wide = (Uniform(scalar(low), scalar(high), validate_args=False) for low, high in ((0., 1.), (-.5, 2.5)))
    assert float(kl_by_integration(narrow.log_prob, wide.log_prob, line)) == pytest.approx(math.log(3), abs=2e-3)
    assert kl_by_integration(wide.log_prob, narrow.log_prob, line) == math.inf


def test_integral_has_a_gradient():
    mean, log_variance = scalar(.7).requires_grad_(), scalar(-.5).requires_grad_()
    kl_by_integration(normal(mean, log_variance).log_prob, Normal(scalar(0.), 1.).log_prob, LINE).backward()
    assert float(mean.grad) == pytest.approx(.7, abs=1e-9)
    assert float(log_variance.grad) == pytest.approx((math.exp(-.5) - 1)/2, abs=1e-9)


BAD_GRIDS = {"constant": torch.zeros(5), "falling": torch.linspace(4, -4, 99), "square": torch.zeros(5, 5),
             "short": torch.tensor([0., 1.])}


@pytest.mark.parametrize("grid", BAD_GRIDS.values(), ids=BAD_GRIDS)
def test_bad_grids(grid):
    log_p = Normal(0., 1.).log_prob
    with pytest.raises(InputError, match="rising"): kl_by_integration(log_p, log_p, grid)


def test_what_is_no_density_on_the_grid():
    p, line = Normal(0., 1.).log_prob, torch.linspace(-8, 8, 801)
    bad = ((p, line[:400]), (p, torch.linspace(-8, 8, 8)), (lambda x: p(x) + .1, line), (lambda x: p(x)*math.nan, line))
    for log_p, grid in bad:
        with pytest.raises(InputError, match="integrates to"): kl_by_integration(log_p, p, grid)
    half = kl_by_integration(p, lambda x: p(x) + math.log(.5), line)  # the rest of q's mass may lie elsewhere
    assert half == pytest.approx(math.log(2))


def test_functions_of_the_wrong_shape():
    p, many = Normal(0., 1.).log_prob, torch.linspace(-8, 8, 101)
    def column(x): return p(x)[:, None]
    def total(x): return p(x).sum()
    one = "must return one number"
    with pytest.raises(InputError, match=f"log_q {one}"): kl_by_integration(p, column, many)
    with pytest.raises(InputError, match=f"log_p {one}"): kl_by_integration(total, p, many)
    with pytest.raises(InputError, match=f"log_p {one}.*coordinates"): kl_by_sampling(p, p, torch.zeros(10, 3))
    with pytest.raises(InputError, match=f"log_q {one}"): kl_by_sampling(p, total, many)
    for few in (torch.zeros(1), torch.zeros(())):
        with pytest.raises(InputError, match="at least 2"): kl_by_sampling(p, p, few)


def test_both_estimators_by_hand():
    def log_p(x): return x
    def log_q(x): return 2*x
    samples = scalar([0., math.log(2), math.log(4)])  # r = 1, 2, 4
    estimate, error = kl_by_sampling(log_p, log_q, samples)
    assert float(estimate) == pytest.approx(-math.log(2)) and float(error) == pytest.approx(math.log(2)/3**.5)
    estimate, error = kl_by_sampling(log_p, log_q, samples, control_variate=True)
    terms = scalar([0., 1 - math.log(2), 3 - math.log(4)])
    assert float(estimate) == pytest.approx(float(terms.mean()))
    assert float(error) == pytest.approx(float(terms.std())/3**.5)


def test_terms_with_the_control_variate_are_never_negative_and_less_noisy_where_near():
    p, q, samples = Normal(scalar(.1), 1.), Normal(scalar(0.), 1.), .1 + numbers(5000, seed=9)
    pairs = samples[:200].view(-1, 2)
    assert all(kl_by_sampling(p.log_prob, q.log_prob, pair, control_variate=True)[0] >= 0 for pair in pairs)
    assert any(kl_by_sampling(p.log_prob, q.log_prob, pair)[0] < 0 for pair in pairs)
    plain, varied = (kl_by_sampling(p.log_prob, q.log_prob, samples, kind)[1] for kind in (False, True))
    assert float(plain)*5000**.5 == pytest.approx(.1, rel=.05) and varied < plain/5


def test_control_variate_of_nearly_equal_float32():
    p, samples = Normal(0., 1.).log_prob, torch.linspace(-2, 2, 1001)
    estimate, _ = kl_by_sampling(p, lambda x: p(x) + 1e-4*x, samples, control_variate=True)
    assert float(estimate) == pytest.approx(float((1e-4*samples.double()).square().mean()/2), rel=.02)


def test_standard_errors_are_what_they_say():
    p, q = Normal(scalar(.5), 1.), Normal(scalar(0.), 1.)
    off = []
    for i in range(300):
        estimate, error = kl_by_sampling(p.log_prob, q.log_prob, .5 + numbers(200, seed=1000 + i))
        off.append(float((estimate - .125)/error))
    assert abs(sum(off)/300) < 4/300**.5 and .85 < torch.tensor(off).std() < 1.15
