"""Make a finished run's weights part of the package: `python tools/ship.py runs/NAME unet`. Weights become float16; the configuration goes into the file's header."""
import json
import sys
from dataclasses import fields
from pathlib import Path

import safetensors.torch

from context_inpaint.core import write_aside
from context_inpaint.trainer import TrainConfig

run, name = Path(sys.argv[1]), sys.argv[2]
config = json.loads((run/"record.json").read_text())["config"]
assert set(config) == {field.name for field in fields(TrainConfig)}, "the run was made by another version: train it again"
weights = safetensors.torch.load_file(run/"model.safetensors")
half = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
target = Path("context_inpaint/weights")/f"{name}.safetensors"
target.parent.mkdir(exist_ok=True)
with write_aside(target, force=True) as temporary: temporary.write_bytes(safetensors.torch.save(half, {"config": json.dumps(config)}))
print(f"{target}: {target.stat().st_size/1e6:.2f} MB, {sum(v.numel() for v in weights.values()):,} values")
