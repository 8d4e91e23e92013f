"""Exported networks: the graph says what the network says at every size; the file is small and silent on its maker."""
import builtins
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from context_inpaint import export
from context_inpaint.any_photo import as_inpainter
from context_inpaint.catalogue import get_method, load_inpainter, load_network, make_objective
from context_inpaint.core import InputError, generator
from context_inpaint.export import Exported, difference, example, half, pack, rounded, scales, ship
from context_inpaint.masked_convs import UNet
from context_inpaint.masks import from_network, make_masks, reveal, to_network
from context_inpaint.trainer import TrainConfig, read_config
from context_inpaint.training import train

onnx = pytest.importorskip("onnx")


def lively(net):
    """Give the layers that start at zero something to say."""
    with torch.no_grad():
        for weight in net.parameters(): weight += .1*torch.randn(weight.shape, generator=generator(weight.numel()))
    return net.eval()


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    """The shipped network as a file: exported once for all tests."""
    file, found = tmp_path_factory.mktemp("unet")/"unet.onnx", load_network("unet")
    return file, ship(found.network, found.config, found.name, file)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A training run of the report's kind: one size, a window drawn."""
    folder = tmp_path_factory.mktemp("runs")/"window"
    config = TrainConfig(data="drawn", limit=32, test_limit=8, size=32, hole_px=8, width=32, bottleneck=8, epochs=1,
                         batch_size=16)
    train(config, make_objective(config), folder)
    return folder


def command(run):
    """Export by the command, into the folder above the run's."""
    return subprocess.run([sys.executable, "-c", "from context_inpaint.cli import main; main()", "export", str(run)],
                          cwd=run.parent, capture_output=True, text=True)


@pytest.mark.parametrize("sides", [(64, 64), (65, 33), (31, 97), (1, 5), (130, 200)])
def test_the_graph_is_the_network_at_any_size(unet, sides):
    file, _ = unet
    net, exported = load_network("unet").network, Exported(file)
    for n in (1, 3):
        hidden = (torch.rand(n, 1, *sides, generator=generator(1)) < .3).float()
        seen = torch.cat([to_network(torch.rand(n, 3, *sides, generator=generator(2)))*(1 - hidden), hidden], 1)
        with torch.no_grad(): assert (net(seen) - exported(seen)).abs().max() < 1e-5


def test_a_file_is_an_inpainter(unet):
    image, mask = torch.rand(1, 3, 150, 110, generator=generator(3)), make_masks("object", 1, (150, 110), .5)
    ours, theirs = get_method("unet")(image, mask), as_inpainter(Exported(unet[0]), 64, 38)(image, mask)
    assert (ours - theirs).abs().max() < 1e-4
    assert torch.equal(theirs.masked_fill(mask, 0), image.masked_fill(mask, 0))


def test_the_file_is_small_and_tells_nothing_of_its_maker(unet):
    file, made = unet
    data = file.read_bytes()
    assert made["bytes"] == len(data) < 3.7e6 and made["difference"] < 1e-5
    assert not re.search(rb"\.py\b|site-packages", data)
    for place in (Path.home(), sys.prefix, Path(torch.__file__).parent,
                  Path(export.__file__).parent.parent): assert str(place).encode() not in data
    about = Exported(file).about
    assert about["name"] == "unet" and about["stored"] == "float16" and about["config"]["size"] == 64
    assert not {"data", "test_data"} & about["config"].keys(), "the place of the training pictures is private"


def stored(file):
    """Return the types of the kernels in a file."""
    return {tensor.data_type for tensor in onnx.load(file).graph.initializer if len(tensor.dims) == 4
            and np.prod(tensor.dims) >= 64}


def test_kernels_are_stored_small(unet, tmp_path):
    assert stored(unet[0]) == {onnx.TensorProto.FLOAT16}
    net, config = lively(UNet((8, 16))), load_network("unet").config
    made, other = ship(net, config, "small", tmp_path/"small.onnx", "int8"), UNet((8, 16)).eval()
    other.load_state_dict(rounded(net.state_dict(), "int8"))
    assert made["difference"] < 1e-4 and difference(other, Exported(tmp_path/"small.onnx"), config) < 1e-4
    assert difference(net, Exported(tmp_path/"small.onnx"), config) > 1e-3, "int8 changes something"
    assert stored(tmp_path/"small.onnx") == {onnx.TensorProto.INT8}
    with pytest.raises(InputError, match="int8"): rounded(net.state_dict(), "int4")


def test_int8_has_a_step_for_each_channel():
    weight = torch.randn(5, 4, 3, 3, generator=generator(0))*torch.tensor([.01, 1, 1, 1, 100]).view(5, 1, 1, 1)
    back = rounded({"w": weight, "b": torch.tensor([.3])}, "int8")
    error = (back["w"] - weight).abs().amax((1, 2, 3))
    assert (error <= scales(weight).flatten()/2 + 1e-9).all() and error[0] < 1e-4 and back["b"] == .3
    assert torch.allclose(back["w"].abs().amax((1, 2, 3)), weight.abs().amax((1, 2, 3)))


def test_float16_refuses_what_it_cannot_hold():
    with pytest.raises(InputError, match="variance holds a value"): half({"variance": torch.tensor([1e5])})
    assert half({"n": torch.tensor([100_000])})["n"].dtype == torch.int64


def test_pack_is_what_the_shipped_network_is_read_from(tmp_path):
    found = load_network("unet")
    pack(found.network.state_dict(), found.config, tmp_path/"w.safetensors")
    shipped_file = Path(export.__file__).parent/"weights"/"unet.safetensors"
    ours, theirs = (safetensors.torch.load_file(f) for f in (tmp_path/"w.safetensors", shipped_file))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)
    with safetensors.safe_open(tmp_path/"w.safetensors", "pt") as opened:
        assert read_config(json.loads(opened.metadata()["config"])) == found.config
    with pytest.raises(InputError, match="exists"): pack({}, found.config, tmp_path/"w.safetensors")


def test_a_run_of_one_size_is_exported_by_the_command(run):
    done, file = command(run), run.parent/"window.onnx"
    assert done.returncode == 0 and done.stdout == "window.onnx\n", done.stderr
    assert "differs from PyTorch" in done.stderr
    found, exported = load_network(run), Exported(file)
    seen = example(found.network, found.config, 5)
    with torch.no_grad(): expected = found.network(seen)
    assert exported(seen).shape == (5, 3, 8, 8)
    assert (exported(seen) - expected).abs().max() < 2e-3, "float16 rounds a little"
    assert exported.about["name"] == "window" and exported.about["stored"] == "float16"
    mask = make_masks("center", 5, 32, .25)
    filled = load_inpainter(run)(from_network(seen), mask)[mask.expand_as(seen)].view(5, 3, 8, 8)
    assert (filled - reveal(exported(seen))).abs().max() < 1e-3
    before = file.read_bytes()
    done = command(run)
    assert done.returncode == 2 and "--force" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert file.read_bytes() == before


def test_bad_input_is_said_in_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, said in (("nowhere", "neither"), (".", "no finished training run")):
        with pytest.raises(InputError, match=said): load_network(name)
    with pytest.raises(InputError, match=r"\.onnx"): ship(UNet((8,)), load_network("unet").config, "unet", "a.txt")
    assert not list(tmp_path.iterdir())


def test_a_graph_that_says_something_else_is_not_written(monkeypatch, tmp_path):
    def value(name): return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["b", "c", "h", "w"])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["seen"], ["drawn"])], "g", [value("seen")],
                                   [value("drawn")])
    monkeypatch.setattr(export, "traced",
                        lambda *_: onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)],
                                                          ir_version=10))
    net, config = torch.nn.Identity(), load_network("unet").config
    with pytest.raises(InputError, match="not written"): ship(net, config, "x", tmp_path/"x.onnx")
    with pytest.raises(InputError, match="no folder"): ship(net, config, "x", tmp_path/"missing"/"x.onnx")
    assert not list(tmp_path.iterdir()), "nothing half-written is left"


def test_difference_looks_at_odd_sizes_and_at_holes():
    config = load_network("unet").config
    def plain(seen): return seen[:, :3]
    plain.any_size = True
    assert difference(plain, plain, config) == 0
    assert difference(plain, lambda seen: seen[:, :3] + .1*(seen.shape[-1] % 2), config) > .05
    assert difference(plain, lambda seen: seen[:, :3] + .1*seen[:, 3:], config) > .05


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, tmp_path):
    real, config = builtins.__import__, load_network("unet").config

    def without(name, *rest):
        if name.split(".")[0] == "onnxscript": raise ImportError(name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match="onnxscript is missing.*pip install"):
        ship(UNet((8,)), config, "u", tmp_path/"u.onnx")


def test_a_file_that_is_no_model(tmp_path):
    with pytest.raises(InputError, match="no file"): Exported(tmp_path/"none.onnx")
    (tmp_path/"bad.onnx").write_bytes(b"not a model")
    with pytest.raises(InputError, match="no ONNX model"): Exported(tmp_path/"bad.onnx")
