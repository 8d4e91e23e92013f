"""The joint objective: the paper's shapes, the weight applied once, the two steps, bad settings, runs, and the same
fill however it is computed."""
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from context_inpaint.any_photo import as_inpainter
from context_inpaint.catalogue import get_method, make_network, make_objective
from context_inpaint.context_encoder import Adversarial, strided_encoder, weight_map
from context_inpaint.core import InputError, generator
from context_inpaint.gan import discriminator
from context_inpaint.masks import hide, make_masks
from context_inpaint.trainer import Batch, TrainConfig, Trainer, check_config
from context_inpaint.training import train

TINY = TrainConfig(objective="gan", encoder="strided", size=32, hole_px=8, width=16, bottleneck=8, limit=40,
                   test_limit=10, epochs=1, batch_size=12, overlap=1)
PAPER = TrainConfig(objective="gan", encoder="strided", size=256, hole_px=64, width=512, bottleneck=4000, overlap=7)


def change(**settings): return dataclasses.replace(TINY, **settings)


def count(module): return sum(p.numel() for p in module.parameters())


def batch(n=6, kind="center"):
    return Batch(torch.rand(n, 3, 32, 32, generator=generator(0)), make_masks(kind, n, 32, .25))


def run_of(config, folder): return train(config, make_objective(config), folder)


# The paper's network

def test_paper_shapes_and_parameters():
    with torch.device("meta"):
        net, judge, seen = make_network(PAPER).eval(), discriminator(PAPER.window, 512), torch.empty(2, 3, 256, 256)
        assert net.encoder(seen).shape == (2, 512, 4, 4) and net.encode(seen).shape == (2, 4000)
        assert net(seen).shape == (2, 3, 78, 78) and judge(net(seen)).shape == (2,)
    assert [layer.out_channels for layer in net.encoder if isinstance(layer, nn.Conv2d)] == [64, 64, 64, 128, 256, 512]
    widths = [64, 64, 64, 128, 256, 512]
    assert count(net.encoder) == 16*3*64 + 64 + sum(16*a*b + 2*b for a, b in zip(widths, widths[1:]))
    assert count(net.bottleneck) == 16*512*4000 + 4000 and count(net.decoder[0]) == 16*512*4000 + 16*512


def test_the_papers_own_size_has_its_channels():
    with torch.device("meta"): encoder = strided_encoder(128, 512)
    assert [layer.out_channels for layer in encoder if isinstance(layer, nn.Conv2d)] == [64, 64, 128, 256, 512]
    kinds = [type(layer) for layer in encoder]
    assert kinds[:2] == [nn.Conv2d, nn.LeakyReLU] and kinds[2:] == [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]*4


@pytest.mark.parametrize("size, field", [(32, 22), (256, 190)])
def test_receptive_field(size, field):
    convolutions = [layer for layer in strided_encoder(size, 8) if isinstance(layer, nn.Conv2d)]
    encoder = nn.Sequential(*[nn.Conv2d(1, 1, 4, 2, 1, bias=False) for _ in convolutions]).double()
    for weight in encoder.parameters(): nn.init.constant_(weight, 1/16)
    picture = torch.zeros(1, 1, 2*size, 2*size, dtype=torch.double, requires_grad=True)
    y = encoder(picture)
    y[0, 0, 4, 4].backward()
    assert int((picture.grad[0, 0] > 0).any(0).sum()) == field


# The loss

@pytest.mark.parametrize("overlap", [0, 1, 3])
def test_weight_is_applied_once(overlap):
    objective, some = make_objective(change(overlap=overlap)), batch()
    image, mask = some.image, some.mask
    side, top = 8 + 2*overlap, 12 - overlap
    torch.testing.assert_close(objective.weight, weight_map(side, overlap))
    total = 0.
    output = objective.networks["generator"].eval()(hide(image, mask))
    for y in range(side):
        for x in range(side):
            w = 10 if min(y, x, side - 1 - y, side - 1 - x) < overlap else 1
            total = total + w*(output[..., y, x] - (2*image[..., top + y, top + x] - 1)).square().sum()
    rec = total/(len(image)*3*side**2)
    loss, numbers = objective.loss("generator", some)
    adv = F.binary_cross_entropy_with_logits(objective.networks["discriminator"](output), torch.ones(len(image)))
    torch.testing.assert_close(numbers["l_rec"], rec)
    torch.testing.assert_close(loss, .999*rec + .001*adv, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["center", "block"])
def test_without_lambda_there_is_no_discriminator(kind):
    objective, some = make_objective(change(lambda_adv=0., mask=kind, overlap=0)), batch(kind=kind)
    image, mask = some.image, some.mask
    assert list(objective.networks) == list(objective.steps) == list(objective.optimizers()) == ["generator"]
    loss, numbers = objective.loss("generator", some)
    assert numbers.keys() == {"l_rec"} and torch.equal(loss, numbers["l_rec"])
    output = objective.networks["generator"](hide(image, mask, kind != "center"))
    if kind == "center": output = torch.zeros_like(image).masked_scatter(mask.expand_as(image), output)
    inside = mask.expand_as(image)
    each = torch.stack([(o - (2*x - 1))[m].square().mean() for o, x, m in zip(output, image, inside)])
    torch.testing.assert_close(loss, each.mean())


def test_the_same_start_with_and_without_a_critic():
    one, other = (make_objective(change(lambda_adv=weight)).networks["generator"].state_dict() for weight in (0., .01))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_discriminator_learns_at_a_tenth_of_the_rate():
    trainer = Trainer(change(lr=3e-3), make_objective(change(lr=3e-3)))
    for done in (0., .3, .8):
        trainer.learn(batch().image, batch().mask, done)
        rates = {name: [group["lr"] for group in optimizer.param_groups]
                 for name, optimizer in trainer.optimizers.items()}
        assert len(rates["generator"]) == len(rates["discriminator"]) == 1
        assert rates["generator"][0] == pytest.approx(10*rates["discriminator"][0])


def test_both_optimisers_have_the_momenta_of_the_dcgan():
    for optimizer in make_objective(change(weight_decay=.3)).optimizers().values():
        assert isinstance(optimizer, torch.optim.AdamW)
        assert optimizer.defaults["betas"] == (.5, .999) and optimizer.defaults["weight_decay"] == .3


@pytest.mark.parametrize("kind", ["center", "region"])
def test_the_discriminator_gets_the_generators_fill_and_leaves_it_alone(kind):
    objective, some = make_objective(change(mask=kind, overlap=int(kind == "center"))), batch(kind=kind)
    net, judge, outputs, judged = *(objective.networks[name] for name in ("generator", "discriminator")), [], []
    net.register_forward_hook(lambda module, inputs, output: outputs.append(output.detach()))
    judge.register_forward_hook(lambda module, inputs, output: judged.append(inputs[0].detach()))
    objective.loss("generator", some)[0].backward()
    truth = 2*some.image - 1
    expected = outputs[0] if kind == "center" else torch.where(some.mask, outputs[0], truth)
    assert not some.drawn.requires_grad and torch.equal(some.drawn, expected) and torch.equal(judged[0], expected)
    before = [p.grad.clone() for p in net.parameters()]
    loss, numbers = objective.loss("discriminator", some)
    loss.backward()
    real = truth[..., 11:21, 11:21] if kind == "center" else truth
    assert len(outputs) == 1 and torch.equal(judged[1], real) and torch.equal(judged[2], expected)
    assert all(torch.equal(a, p.grad) for a, p in zip(before, net.parameters()))
    assert all(p.grad is not None for p in judge.parameters()) and 0 < numbers["real"] < 1


def test_the_discriminators_loss_by_hand():
    objective, some = make_objective(TINY), batch()
    some.drawn = torch.rand(6, 3, 10, 10, generator=generator(1))*2 - 1
    net = objective.networks["discriminator"].eval()
    loss, numbers = objective.loss("discriminator", some)
    real, fake = net(2*some.image[..., 11:21, 11:21] - 1), net(some.drawn)
    bce = F.binary_cross_entropy_with_logits
    torch.testing.assert_close(loss, bce(real, torch.ones(6)) + bce(fake, torch.zeros(6)))
    torch.testing.assert_close(numbers["real"], real.sigmoid().mean())
    torch.testing.assert_close(numbers["fake"], fake.sigmoid().mean())


def test_parts_of_a_batch_keep_their_own_fills():
    config = change(accumulate=3)
    objective, judged = make_objective(config), []
    trainer, some = Trainer(config, objective), batch()
    trainer.networks["discriminator"].register_forward_hook(lambda m, inputs, o: judged.append(inputs[0].detach()))
    trainer.learn(some.image, some.mask, .5)
    fakes, pairs = judged[:3], judged[3:]
    assert len(pairs) == 6 and all(torch.equal(fakes[i], pairs[2*i + 1]) for i in range(3))
    assert torch.equal(torch.cat(pairs[::2]), 2*some.image[..., 11:21, 11:21] - 1)


def test_a_step_changes_both_networks():
    trainer = Trainer(TINY, make_objective(TINY))
    before = {name: [p.detach().clone() for p in net.parameters()] for name, net in trainer.networks.items()}
    numbers = trainer.learn(batch().image, batch().mask, .3)
    assert numbers.keys() == {"loss", "l_rec", "l_adv", "discriminator", "real", "fake"}
    for name, net in trainer.networks.items():
        assert any(not torch.equal(a, b) for a, b in zip(before[name], net.parameters()))


# Bad settings: one line each

@pytest.mark.parametrize("wrong, word", [
    ({"overlap": -1}, "overlap must be 0 to 12"), ({"overlap": 13}, "overlap must be 0 to 12"),
    ({"overlap": 1, "mask": "block"}, "overlap must be 0 to 0"), ({"overlap": 1, "objective": "vae"}, "overlap"),
    ({"lambda_adv": -.001}, "lambda_adv must be at least 0"), ({"lambda_adv": 1.}, "less than 1"),
    ({"lambda_adv": float("nan")}, "lambda_adv"), ({"hole_px": 40}, "a hole of 40 pixels does not fit pictures of 32"),
    ({"hole_px": 32}, "does not fit")])
def test_bad_settings_are_one_line(wrong, word, tmp_path):
    with pytest.raises(InputError, match=word) as caught: make_objective(change(**wrong))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=word): train(change(**wrong), make_objective(TINY), tmp_path/"run")
    assert not (tmp_path/"run").exists()


def test_the_widest_band_fits():
    check_config(config := change(overlap=12))
    objective, some = make_objective(config), batch()
    objective.loss("generator", some)
    assert objective.window == 32 and some.drawn.shape == some.image.shape


@pytest.mark.parametrize("wrong, word", [
    ({"size": 48}, "strided encoder takes pictures of"), ({"width": 20}, "multiple of 8")])
def test_encoder_rejects_what_does_not_divide(wrong, word):
    with pytest.raises(InputError, match=word): make_objective(change(**wrong))


# Runs

@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gan")/"run"
    run_of(TINY, folder)
    return folder


def test_a_run_fills_any_photo(run):
    record = json.loads((run/"record.json").read_text())
    assert {"l_rec", "l_adv", "real", "fake", "validation_psnr"} <= record["curve"][0].keys()
    assert record["parameters"].keys() == {"generator", "discriminator"}
    inpainter = get_method(str(run))
    for size, kind in (((32, 32), "center"), ((50, 71), "block"), ((40, 33), "region")):
        image, mask = torch.rand(2, 3, *size, generator=generator(1)), make_masks(kind, 2, size, .3)
        output = inpainter(image, mask)
        inside = mask.expand_as(image)
        assert torch.equal(output[~inside], image[~inside]) and ((output >= 0) & (output <= 1)).all()
        assert torch.equal(output, inpainter(image.masked_fill(mask, torch.nan), mask))
        assert not torch.equal(output, image)


def test_the_band_is_cut_off_when_filling():
    trained, some = make_objective(TINY).networks["generator"].eval(), batch(2)
    with torch.no_grad(): output = trained(hide(some.image, some.mask))
    filled = as_inpainter(trained, 32, 8, TINY.window)(some.image, some.mask)
    torch.testing.assert_close(filled[..., 12:20, 12:20], ((output[..., 1:-1, 1:-1] + 1)/2).clamp(0, 1))


def test_nan_stops_with_the_batch_named(monkeypatch, tmp_path):
    loss, calls = Adversarial.loss, []

    def broken(self, step, batch):
        calls.append(step)
        value, numbers = loss(self, step, batch)
        return (value*float("nan") if len(calls) == 4 else value), numbers

    monkeypatch.setattr(Adversarial, "loss", broken)
    with pytest.raises(InputError, match=r"epoch 1, batch 2: pictures \w+/train-\d+") as caught:
        run_of(TINY, tmp_path/"run")
    assert "discriminator nan" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path/"run"/"record.json").exists()


# The same fill, however it is computed

OBJECTIVES = ("gan", "vae", "reconstruction")


def seen_of(batch): return hide(batch.image, batch.mask)


def network(objective):
    made = make_objective(change(objective=objective, overlap=int(objective == "gan"), encoder="alexnet"))
    net = made.networks[made.fills]
    with torch.no_grad():
        for name, value in net.named_buffers():
            if name.endswith("running_var"): value.mul_(1.5)
    return net.eval()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_channels_last_gives_the_same(objective):
    net, seen, last = network(objective), seen_of(batch()), torch.channels_last
    with torch.no_grad():
        plain = net(seen)
        again = net.to(memory_format=last)(seen.to(memory_format=last))
    torch.testing.assert_close(again, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_captured_whole_by_compile(objective):
    net, seen = network(objective), seen_of(batch())
    with torch.no_grad():
        captured = torch.compile(net, backend="aot_eager", fullgraph=True)(seen)
        torch.testing.assert_close(captured, net(seen), rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not shutil.which("c++") or "CONTEXT_INPAINT_SLOW" not in os.environ,
                    reason="needs a C++ compiler and a minute: set CONTEXT_INPAINT_SLOW=1")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_compiled_gives_the_same(objective):
    net, seen = network(objective), seen_of(batch())
    with torch.no_grad(): torch.testing.assert_close(torch.compile(net)(seen), net(seen), rtol=1e-4, atol=1e-5)


TWO = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from test_context_encoder import Trainer, batch, change, make_objective, network, seen_of
config = change(mask="block", overlap=0)  # its critic is large enough for batch norm
trainer, some = Trainer(config, make_objective(config)), batch(12, "block")
me, image, mask = trainer.accelerator.process_index, some.image, some.mask
for net in trainer.networks.values(): net.train()
for step in range(3): numbers = trainer.learn(image[me::2], mask[me::2], step/3)
sums = [sum(p.detach().double().sum() for p in net.parameters()) for net in trainer.networks.values()]
with torch.no_grad():
    fills = {name: network(name)(seen_of(batch())[3*me:3*me + 3]) for name in ("gan", "vae", "reconstruction")}
wrapped = [type(net).__name__ for net in trainer.objective.networks.values()]
finite = all(v.isfinite() for v in numbers.values())
torch.save({"sums": sums, "finite": finite, "fills": fills, "wrapped": wrapped}, f"{sys.argv[2]}/{me}.pt")
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes, joined by gloo, computed."""
    if not torch.distributed.is_gloo_available(): pytest.skip("needs gloo")
    folder = tmp_path_factory.mktemp("two")
    (folder/"two.py").write_text(TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", folder/"two.py",
               Path(__file__).parent, folder]
    environment = os.environ | {"CONTEXT_INPAINT_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert not done.returncode, done.stderr[-2000:]
    return [torch.load(folder/f"{me}.pt") for me in (0, 1)]


def test_two_processes_train_one_pair_of_networks(two):
    one, other = two
    assert one["wrapped"] == ["DistributedDataParallel"]*2 and one["finite"] and other["finite"]
    assert one["sums"] == other["sums"], "the two processes' networks have drifted apart"
    nets = make_objective(change(mask="block", overlap=0)).networks.values()
    start = [float(sum(p.detach().double().sum() for p in net.parameters())) for net in nets]
    assert all(float(a) != b for a, b in zip(one["sums"], start))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_two_processes_fill_like_one(two, objective):
    with torch.no_grad(): alone = network(objective)(seen_of(batch()))
    torch.testing.assert_close(torch.cat([half["fills"][objective] for half in two]), alone, rtol=1e-4, atol=1e-5)
