"""The published evaluation: loop, formula and expectation agree. Each switch has its property on and lacks it off."""
from dataclasses import fields
from itertools import permutations

import pytest
import torch
from torch import nn

from context_inpaint import metrics
from context_inpaint.autopsy import (
    SOUND,
    SWITCHES,
    Block,
    SmallVAE,
    Switches,
    batch_sum,
    bend,
    check_loss,
    ending,
    examine,
    fill,
    learn,
    look,
    output_range,
    passing,
    recorded,
    reenact,
    small_loss,
    step_sums,
    training_slice,
)
from context_inpaint.core import InputError, generator
from context_inpaint.experiments import published
from context_inpaint.masks import make_masks


def scenes(n, side=32, seed=0):
    truth, other = torch.rand(2, n, 3, side, side, generator=generator(seed), dtype=torch.float64)
    return other, truth, make_masks("center", n, side, .25)


def squares(x, truth, mask): return torch.stack([((a - b)**2)[m.expand_as(a)].sum() for a, b, m in zip(x, truth, mask)])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("batch", [32, 5])
def test_the_loop_and_the_formula_agree_at_every_step_and_in_sum(seed, batch):
    n = 1 + 5*seed
    fills, truth, mask = scenes(n, 16, seed)
    mask = make_masks("block", n, 16, seed=seed)
    order = torch.randperm(n, generator=generator(seed))
    steps, f, u = reenact(fills, truth, mask, order, batch), squares(fills, truth, mask)[order], squares(0*truth, truth,
                                                                                                         mask)[order]
    assert steps.shape == (n,)
    assert torch.allclose(steps, step_sums(f, u, batch), rtol=0, atol=1e-6)
    assert abs(float(steps.sum() - batch_sum(f, u, batch))) < 1e-6
    assert float(batch_sum(f, u, batch)) == pytest.approx(sum((n + 1 - j)*float(f[j - 1]) + (j - 1)*float(u[j - 1])
                                                              for j in range(1, n + 1))/batch)


def test_the_loop_ignores_known_pixels_and_what_is_hidden_and_changes_nothing():
    fills, truth, mask = scenes(4, 16)
    before = fills.clone(), truth.clone()
    plain = reenact(fills, truth, mask)
    assert torch.equal(fills, before[0]) and torch.equal(truth, before[1])
    assert torch.equal(plain, reenact(torch.where(mask, fills, torch.nan), truth, mask))
    with pytest.raises(InputError, match="once"): reenact(fills, truth, mask, [0, 1, 2, 2])
    with pytest.raises(InputError, match="like truth"): reenact(fills[:3], truth, mask)


@pytest.mark.parametrize(("n", "batch"), [(5, 3), (4, 2), (3, 32), (6, 6)])
def test_the_mean_over_all_orders_is_that_of_published(n, batch):
    f, u = torch.rand(2, n, generator=generator(n), dtype=torch.float64)
    every = torch.tensor(list(permutations(range(n))))
    values = recorded(f[every], u[every], batch)
    assert float(values.mean()) == pytest.approx(published(float(f.mean()), float(u.mean()), n, batch), rel=1e-12)
    assert values.std() > 1e-4  # one order is not the mean


def test_a_set_is_its_batches_loop_by_loop():
    fills, truth, mask = scenes(8, 16)
    parts = [reenact(*(x[i:i + 3] for x in (fills, truth, mask)), batch=3).sum() for i in (0, 3, 6)]
    assert float(recorded(squares(fills, truth, mask), squares(0*truth, truth, mask),
                          3)) == pytest.approx(float(sum(parts))/8)


def test_switches_and_sentences_belong_together_and_are_off():
    assert [f.name for f in fields(Switches)] == list(SWITCHES) and len(set(SWITCHES.values())) == len(SWITCHES) == 12
    assert not any(getattr(SOUND, name) for name in SWITCHES) and Switches() == SOUND


def test_what_can_come_out():
    assert output_range(ending(SOUND)) == pytest.approx((0, 1), abs=1e-6)
    assert output_range(ending(Switches(dark_floor=True)))[0] == .5
    assert output_range(ending(Switches(tanh_output=True))) == pytest.approx((-1, 1), abs=1e-6)
    assert output_range(ending(Switches(dark_floor=True, final_norm=True)))[0] == .5


def test_the_final_norm_takes_brightness_and_contrast_away():
    x = torch.randn(3, 3, 8, 8, generator=generator(0))
    change = {on: (ending(Switches(final_norm=on))(2*x + 1.5) - ending(Switches(final_norm=on))(x)).abs().max()
              for on in (True, False)}
    assert change[True] < 1e-3 < .1 < change[False]


@pytest.mark.parametrize("waist", [3, 8])
def test_the_waist_bounds_the_rank(waist):
    for part, inputs in (("widen", 64), ("moments", 1024)):
        values = {on: passing(getattr(SmallVAE(Switches(narrow=on), waist=waist), part), inputs)
                  for on in (True, False)}
        assert int((values[True] > 1e-9*values[True][0]).sum()) == waist
        assert int((values[False] > 1e-9*values[False][0]).sum()) == min(inputs, len(values[False]))


def test_a_slope_of_one_leaves_a_linear_decoder():
    a, b = torch.randn(2, 3, 1024, generator=generator(1))
    assert bend(SmallVAE(Switches(linear_decoder=True)).decoder, a, b) < 1e-5
    assert bend(SmallVAE().decoder, a, b) > .05
    matrix = nn.Linear(1024, 7)
    assert bend(matrix, a, b) < 1e-5 and bend(lambda x: matrix(x)**2, a, b) > .05


def test_two_relus_can_only_add():
    x = torch.randn(8, 16, 4, 4, generator=generator(2))
    torch.manual_seed(0)
    sound, wrong = Block(16), Block(16, True)
    wrong.load_state_dict(sound.state_dict())
    assert (wrong(x) >= x.relu()).all() and (sound(x) < x.relu()).any()
    assert torch.allclose(sound(x), (sound.branch(x) + x).relu())


def test_the_printed_loss_collapses_the_code_and_the_codes_own_does_not():
    pictures = torch.rand(16, 3, 1, 1, generator=generator(0)).expand(-1, -1, 32,
                                                                      32)  # one colour each: easy to tell apart
    mask = make_masks("center", 16, 32, .25)
    kl = {on: float(learn(pictures, Switches(printed_loss=on), 25)(look(pictures, mask, SOUND))[1].detach().mean())
          for on in (True, False)}
    assert kl[True] < .5*kl[False]


def test_learning_is_repeatable_and_leaves_global_randomness_alone():
    pictures = torch.rand(40, 3, 32, 32, generator=generator(3))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two = (learn(pictures, steps=2) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state()) and not one.training
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values()))


def test_only_the_leaking_slice_holds_test_pictures():
    pictures, test = torch.rand(9, 3, 4, 4, generator=generator(4)).split([6, 3])
    common = {on: [any(torch.equal(a, b) for a in training_slice(pictures, test, Switches(test_in_train=on)))
                   for b in test] for on in (True, False)}
    assert all(common[True]) and not any(common[False])
    assert len(training_slice(pictures, test, Switches(test_in_train=True))) == len(training_slice(pictures, test)) == 6


def small():
    torch.manual_seed(0)
    net, (other, truth, mask) = SmallVAE(), scenes(6)
    for _ in range(3): net(look(other.float(), mask, SOUND))  # so that BatchNorm has seen something
    return net.eval(), truth.float(), mask


def test_without_eval_a_fill_depends_on_the_batch_and_fill_leaves_the_network_alone():
    net, truth, mask = small()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    plain, alone = (fill(net, truth, mask, Switches(batch_statistics=on)) for on in (False, True))
    assert torch.allclose(plain[:2], fill(net, truth[:2], mask[:2]), atol=1e-5)  # company does not matter
    assert (plain - alone).abs().max() > 1e-3
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items()) and not net.training
    seen = look(truth, mask, SOUND)
    net.train()
    assert (net(seen[:3])[0][0] - net(torch.cat([seen[:1], seen[4:]]))[0][0]).abs().max() > 1e-3
    assert torch.equal(alone[~mask.expand_as(alone)], truth[~mask.expand_as(truth)])


def test_a_drawn_code_differs_from_draw_to_draw_and_the_mean_does_not():
    net, truth, mask = small()
    mean, again = (fill(net, truth, mask, seed=i) for i in (0, 1))
    drawn, other = (fill(net, truth, mask, Switches(sampled=True), seed=i) for i in (0, 1))
    assert torch.equal(mean, again) and not torch.equal(drawn, other) and torch.equal(drawn,
                                                                                      fill(net, truth, mask,
                                                                                           Switches(sampled=True)))


@pytest.mark.parametrize("name", ["none", *SWITCHES])
def test_no_hidden_pixel_reaches_any_network(name):
    net, truth, mask = small()
    switches = Switches(**{name: True} if name != "none" else {})
    a, b = (fill(net, x, mask, switches) for x in (truth, truth.masked_fill(mask, torch.nan)))
    assert torch.equal(a, b)


def test_the_hole_is_grey_or_black():
    _, truth, mask = scenes(2)
    inside = mask.expand(2, 3, 32, 32)
    assert (look(truth.float(), mask, SOUND)[inside] == 0).all()
    assert (look(truth.float(), mask, Switches(black_hole=True))[inside] == -1).all()
    assert torch.equal(*(look(truth.float(), mask, Switches(black_hole=on))[~inside] for on in (True, False)))


def test_examine_reports_what_its_switch_says_and_scores_a_tanh_unclamped_only_as_published():
    other, truth, mask = (x.float() if x.is_floating_point() else x for x in scenes(40))
    row = examine(other, truth, mask)
    assert row["reported"] == row["sum"] == pytest.approx(float(metrics.report_sum(other, truth, mask).mean()))
    assert row["psnr"] == pytest.approx(float(metrics.psnr(other, truth, mask).mean()))
    wrong = examine(other, truth, mask, Switches(running_evaluation=True))
    assert wrong["reported"] == wrong["published"] == row["published"]
    black = float(metrics.report_sum(0*truth, truth, mask).mean())
    assert row["published"] == pytest.approx(published(row["sum"], black, 40))
    outside = examine(torch.where(mask, other - 1, truth), truth, mask)
    assert outside["sum"] == pytest.approx(black)
    raw = float(metrics.report_sum.__wrapped__(other - 1, truth, mask).mean())
    assert outside["published"] == pytest.approx(published(raw, black, 40), rel=1e-4)


@pytest.mark.parametrize("metric", [metrics.l1, metrics.l2, metrics.report_sum])
def test_our_losses_pass_the_check(metric): assert check_loss(lambda *x: metric(*x).mean()) == []


@pytest.mark.parametrize(("words", "loss"), [
    (["order", "batch size", "perfection"], lambda x, y, m: reenact(x, y, m).mean()),
    (["batch size"], lambda x, y, m: (x - y).square().where(m, 0).sum()),
    (["batch size"], lambda x, y, m: (x - y).square().where(m, 0).sum()/32),
    (["known pixels"], lambda x, y, m: (x - y).square().mean()),
    (["perfection"], lambda x, y, m: metrics.l2(x, y, m).mean() + .01),
    (["order"], lambda x, y, m: metrics.l2(x, y, m)[0]),
    (["order"], lambda x, y, m: (metrics.l2(x, y, m)*torch.linspace(1, 2, len(x))).mean())])
def test_the_check_names_the_violation(words, loss):
    found = [line.split(":")[0] for line in check_loss(loss)]
    assert set(words) <= set(found), found


def test_the_check_is_not_fooled_by_a_loss_that_writes_into_its_input():
    def rude(x, y, m):
        value = metrics.l2(x, y, m).mean()
        x.zero_(), y.zero_()
        return value
    assert check_loss(rude) == []


def test_what_each_loss_weighs():
    output, kl = torch.rand(5, 3, 8, 8, generator=generator(1)), torch.arange(5.)
    image = torch.rand(5, 3, 32, 32, generator=generator(2))
    error = output - image[..., 12:20, 12:20]
    sound = torch.stack([(e**2).mean() for e in error]) + kl*.1/12288
    printed = torch.stack([e.flatten().norm() for e in error]) + kl
    assert torch.allclose(small_loss(output, image, kl, SOUND), sound)
    assert torch.allclose(small_loss(output, image, kl, Switches(printed_loss=True)), printed)
