"""Where a name that a person types becomes an object: methods, encoders, networks, losses, objectives, runs.

This is the one such place. A name costs only what it needs: each stands beside a small function with an ordinary
import in it. To add a method, an encoder, a loss or an objective, add its line to the table here; command line,
scoreboard, demo, site and tests follow.
Nothing in the library imports this module but the command line.
"""
from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from context_inpaint.core import InputError, one_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from context_inpaint.app import Painter
    from context_inpaint.data import Bank
    from context_inpaint.masks import Inpainter
    from context_inpaint.metrics import Metric
    from context_inpaint.trainer import Loss, Objective, TrainConfig

WEIGHTS = Path(__file__).parent/"weights"  # what the package ships: NAME.safetensors, float16, and NAME.md beside it


class Method(NamedTuple):
    """A way to fill holes: what it does in a sentence, how to get it, and the shipped weights that it needs, if any."""
    about: str
    load: Callable[[], Inpainter]
    weights: str = ""


def _classical() -> Any:
    from context_inpaint import classical
    return classical


def _completion(bank: Bank | None = None) -> Inpainter:
    from context_inpaint.completion import scene_completion
    if bank is None: return scene_completion

    def complete(image: Tensor, mask: Tensor, *, generator=None) -> Tensor:
        return scene_completion(image, mask, generator=generator, bank=bank, n_candidates=min(50, len(bank)))
    return complete


def _exemplar() -> Any:
    from context_inpaint import exemplar
    return exemplar


def _patches() -> Any:
    from context_inpaint import patches
    return patches


def _guided() -> Inpainter:
    from context_inpaint.guided import guided
    guide = get_method("unet" if "unet" in available() else "harmonic")

    def fill(image: Tensor, mask: Tensor, *, generator=None) -> Tensor:
        return guided(image, mask, guide=guide, generator=generator)
    return fill


METHODS = {
    "none": Method("Leave the hole black: the anchor that every other method must beat.", lambda: _classical().none),
    "ring-mean": Method("The mean colour of the ring around each hole.", lambda: _classical().ring_mean),
    "harmonic": Method("Heat that flows in from the border, the smoothest fill.", lambda: _classical().harmonic),
    "telea": Method("From the rim inwards, weighted means of known pixels (Telea 2004).", lambda: _classical().telea),
    "navier-stokes": Method("Lines of equal brightness continued like a fluid (Bertalmío et al. 2001).",
                            lambda: _classical().navier_stokes),
    "biharmonic": Method("A bent thin plate (Damelin and Hoang 2018).", lambda: _classical().biharmonic),
    "exemplar": Method("Known patches copied one by one, first where edges run in (Criminisi et al. 2004).",
                       lambda: _exemplar().exemplar),
    "patches": Method("The photo's own patches, all at once (Wexler et al. 2007, Barnes et al. 2009).",
                      lambda: _patches().patches),
    "scene-completion": Method("A piece of the picture whose surroundings look most alike (Hays and Efros 2007).",
                               _completion),
    "unet": Method("The shipped network: a U-Net of gated convolutions, for any hole (Yu et al. 2019).",
                   lambda: load_inpainter("unet"), weights="unet"),
    "guided": Method("The photo's own patches, guided by the shipped network.", _guided),
}


def available() -> list[str]:
    """Return the names in `METHODS` that can run now: those that need no weights, and those whose weights are here."""
    return [name for name, method in METHODS.items() if not method.weights or _shipped(method.weights).is_file()]


def get_method(name: str, bank: Bank | None = None) -> Inpainter:
    """Return an inpainter: a name in `METHODS`, or the folder of a training run.

    Parameters
    ----------
    name : str
        A method's name, or a path with a `record.json` in it; with `:sample` after it, the run's network draws its code
        at random.
    bank : Bank, optional
        Pictures that scene completion copies from, in place of its drawn ones.

    Raises
    ------
    InputError
        If there is neither such a method nor such a run.
    """
    run = name.removesuffix(":sample")
    if (Path(run)/"record.json").is_file(): return load_inpainter(run, sample=run != name)
    if os.sep in name or "/" in name: raise InputError(f"no training run in {name}: it needs a record.json")
    one_of(name, METHODS, "method")
    return _completion(bank) if name == "scene-completion" else METHODS[name].load()


def get_methods(names: Sequence[str] | None = None, bank: Bank | None = None) -> dict[str, Inpainter]:
    """Return inpainters by name; by default all that can run."""
    return {name: get_method(name, bank) for name in (available() if names is None else names)}


def get_metrics(perceptual: bool = False) -> dict[str, Metric]:
    """Return the metrics of a scoreboard by name: those of pixels and, on demand, the perceptual distance.

    Raises
    ------
    InputError
        If the extra `perceptual` is wanted and not installed.
    """
    from context_inpaint.metrics import METRICS
    if not perceptual: return dict(METRICS)
    import torch

    from context_inpaint.perceptual import distance, network
    network(torch.device("cpu"))  # which says what to install
    return METRICS | {"perceptual": distance}


def completion_bank(spec: str | None, size: int, scored: Bank | None = None) -> Bank | None:
    """Return the pictures that scene completion copies from, by a data spec, or None for its own; those that are being
    scored, or nearly the same ones, are left out, which is said on stderr.

    Raises
    ------
    InputError
        If nothing is left.
    """
    if not spec: return None
    import torch

    from context_inpaint.data import common, load
    bank = load(spec, size=size)
    shared = {i for i, _ in common(bank, scored)} if scored is not None else set()
    if not shared: return bank
    if len(shared) == len(bank):
        raise InputError("the bank holds only pictures that are being scored: give another with --bank")
    print(f"left out of the bank: {len(shared)} pictures that are being scored", file=sys.stderr)
    return bank[torch.tensor([i for i in range(len(bank)) if i not in shared])]


def painter(photo: str | os.PathLike | Tensor, mask: str | os.PathLike | Tensor | None = None,
            chosen: Sequence[str] = ("telea", "unet")) -> Painter:
    """Return a painter of masks on your photo that offers every method that can run, and training runs that you name;
    `chosen` are ticked."""
    from context_inpaint.app import Painter
    return Painter(photo, get_methods(list(dict.fromkeys([*chosen, *available()[1:]]))), mask, chosen)


def _autoencoder() -> Any:
    from context_inpaint import autoencoder
    return autoencoder


def _encoders() -> Any:
    from context_inpaint import encoders
    return encoders


def _context_encoder() -> Any:
    from context_inpaint import context_encoder
    return context_encoder


def _masked_convs() -> Any:
    from context_inpaint import masked_convs
    return masked_convs


def _squared_error() -> Loss:
    from context_inpaint.trainer import squared_error
    return squared_error


# Encoders `(size, width, channels)` → network to [B, width, 4, 4]
ENCODERS: dict[str, Callable[[], Callable[..., nn.Module]]] = {
    "small": lambda: _autoencoder().small_encoder,
    "alexnet": lambda: _encoders().alexnet, "vgg": lambda: _encoders().vgg, "resnet": lambda: _encoders().resnet,
    "strided": lambda: _context_encoder().strided_encoder}

# Whole networks `(width)`, which have no code, and draw whole pictures
NETWORKS: dict[str, Callable[[], Callable[[int], nn.Module]]] = {"unet": lambda: _masked_convs().unet}

LOSSES: dict[str, Callable[[], Loss]] = {
    "l2": _squared_error, "l1": lambda: _masked_convs().absolute_error, "log": lambda: _masked_convs().log_error,
    "seam": lambda: _masked_convs().seam_error, "frequency": lambda: _masked_convs().frequency_error}


def make_encoder(config: TrainConfig, channels: int) -> nn.Module:
    """Return the encoder that a configuration names, `[B, channels, size, size]` → `[B, width, 4, 4]`."""
    encoder = ENCODERS[one_of(config.encoder, ENCODERS, "encoder")]()(config.size, config.width, channels)
    if config.pretrained: _encoders().load_imagenet(encoder, config.encoder)
    return encoder


def make_network(config: TrainConfig) -> nn.Module:
    """Return the untrained network that a configuration describes: from what `hide` gives to the window or the picture.

    Raises
    ------
    InputError
        If the encoder is unknown, the bottleneck less than 1, or encoder and size or mask do not fit.
    """
    if one_of(config.encoder, [*ENCODERS, *NETWORKS], "encoder") in NETWORKS:
        if config.window is not None:
            raise InputError(f"the {config.encoder} draws whole pictures: "
                             "train it with mask mixed, block, region, brush or object")
        return NETWORKS[config.encoder]()(config.width)
    encoder, parts = make_encoder(config, _channels(config)), _autoencoder()
    return parts.Autoencoder(encoder, parts.bottleneck(config.width, config.bottleneck),
                             parts.decoder(config.bottleneck, config.width, _side(config)))


def _channels(config: TrainConfig) -> int:
    return 4 if config.window is None else 3


def _side(config: TrainConfig) -> int:
    return config.size if config.window is None else config.window


def _reconstruction(config: TrainConfig) -> Objective:
    from context_inpaint.trainer import Reconstruction
    loss = LOSSES[config.loss]()
    return Reconstruction(make_network(config), config.window is None, loss, config.lr, config.weight_decay)


def _variational(config: TrainConfig) -> Objective:
    from context_inpaint.vae import VAE, Variational
    network = VAE(make_encoder(config, _channels(config)), config.width, config.bottleneck, _side(config))
    return Variational(network, config.window is None, config.error, config.beta, config.lr, config.weight_decay)


def _conditional(config: TrainConfig) -> Objective:
    from context_inpaint.vae import ConditionalVAE, Variational
    network = ConditionalVAE(make_encoder(config, _channels(config)), make_encoder(config, 3), config.width,
                             config.bottleneck, _side(config))
    return Variational(network, config.window is None, config.error, config.beta, config.lr, config.weight_decay)


def _adversarial(config: TrainConfig) -> Objective:
    from context_inpaint.context_encoder import Adversarial
    from context_inpaint.gan import discriminator
    generator = make_network(config)
    critic = discriminator(_side(config), config.width) if config.lambda_adv else None
    return Adversarial(generator, critic, config.window, config.overlap, config.lambda_adv, config.lr,
                       config.weight_decay)


OBJECTIVES: dict[str, Callable[[TrainConfig], Objective]] = {
    "reconstruction": _reconstruction, "vae": _variational, "conditional-vae": _conditional, "gan": _adversarial}


def check_names(config: TrainConfig) -> None:
    """Raise `InputError` unless objective, encoder and loss are names known here and all settings are right."""
    from context_inpaint.trainer import check_config
    one_of(config.objective, OBJECTIVES, "objective")
    one_of(config.encoder, [*ENCODERS, *NETWORKS], "encoder")
    one_of(config.loss, LOSSES, "loss")
    check_config(config)


def make_objective(config: TrainConfig) -> Objective:
    """Return the objective that a configuration names, its networks initialised from its seed alone.

    Raises
    ------
    InputError
        If a name is unknown or a setting is wrong.
    """
    import torch
    check_names(config)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        return OBJECTIVES[config.objective](config)


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network in eval mode, what it was trained on, and where it comes from."""
    network: nn.Module
    config: TrainConfig
    name: str


def _shipped(name: str) -> Path:
    return WEIGHTS/f"{name}.safetensors"


def shipped() -> list[str]:
    """Return the names of the networks whose weights this package ships."""
    return sorted(file.stem for file in WEIGHTS.glob("*.safetensors"))


def load_network(run: str | os.PathLike) -> Trained:
    """Return the network of a training run, by its folder, or a shipped one, by its name.

    Raises
    ------
    InputError
        If there is neither, the run is unfinished or its record damaged, or its weights do not fit its configuration.
    """
    path = Path(run)
    if not path.is_dir():
        if str(run) in shipped(): return _build(*_read_shipped(_shipped(str(run))), str(run), _shipped(str(run)))
        raise InputError(f"{run} is neither a training run's folder nor a shipped network: {', '.join(shipped())}")
    if not (path/"record.json").is_file():
        raise InputError(f"no finished training run in {path}: it needs record.json and model.safetensors")
    return _build(*_read_run(path), path.resolve().name, path/"model.safetensors")


def _read_shipped(file: Path) -> tuple[dict, dict[str, Tensor]]:
    from safetensors import safe_open
    with safe_open(file, "pt") as opened:
        weights = {key: opened.get_tensor(key) for key in opened.keys()}
        stored = json.loads(opened.metadata()["config"])
    return stored, {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}


def _read_run(path: Path) -> tuple[dict, dict[str, Tensor]]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    try:
        stored = json.loads((path/"record.json").read_text(encoding="utf-8"))["config"]
        return stored, load_file(path/"model.safetensors")
    except FileNotFoundError: raise InputError(f"{path} lacks model.safetensors: train again") from None
    except (SafetensorError, KeyError, TypeError, ValueError) as e:
        raise InputError(f"{path} is damaged or made by another version: {e}") from None


def _build(stored: Mapping, weights: Mapping[str, Tensor], name: str, where: Path) -> Trained:
    from dataclasses import replace

    from context_inpaint.trainer import load_weights, read_config
    try: config = read_config(stored)
    except (TypeError, AttributeError) as e:
        raise InputError(f"{where.parent} is damaged or made by another version: {e}") from None
    objective = make_objective(replace(config, pretrained=False))
    network = objective.networks[objective.fills].eval()
    load_weights(network, weights, where)
    return Trained(network, config, name)


def load_inpainter(run: str | os.PathLike, sample: bool = False) -> Inpainter:
    """Return the inpainter of a training run or of a shipped network; with `sample`, the one that draws its code at
    random, where the network has such. Raises as `load_network`, and if it draws no samples."""
    from context_inpaint.any_photo import as_inpainter
    found = load_network(run)
    if sample and not hasattr(found.network, "sample"):
        raise InputError(f"{run} was trained with objective {found.config.objective}, "
                         "which draws no samples: leave out :sample")
    config = found.config
    return as_inpainter(found.network, config.size, config.hole_px, config.window, sample)
