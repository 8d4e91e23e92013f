"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "scoreboard-1": {
        "wrong": ["def mean_fill(image, mask, *, generator=None):\n"
                  "    return torch.where(mask, image.mean((2, 3), keepdim=True), image)",
                  "def mean_fill(image, mask, *, generator=None):\n"
                  "    return torch.where(mask, image.masked_fill(mask, 0).mean((2, 3), keepdim=True), image)",
                  "def mean_fill(image, mask, *, generator=None):\n"
                  "    return torch.where(mask, image[~mask.expand_as(image)].mean(), image)",
                  "def mean_fill(image, mask, *, generator=None):\n"
                  "    known = (~mask).to(image)\n"
                  "    mean = (image*known).sum((2, 3), keepdim=True)/known.sum((2, 3), keepdim=True)\n"
                  "    return torch.where(mask, mean, image)",
                  "def mean_fill(image, mask, *, generator=None):\n"
                  "    known = (~mask).to(image)\n"
                  "    mean = image.masked_fill(mask, 0).sum((2, 3), keepdim=True)/known.sum((2, 3), keepdim=True)\n"
                  "    return mean.expand_as(image)",
                  "def mean_fill(image, mask, *, generator=None):\n"
                  "    mean = image[:, :, ~mask[0, 0]].mean(2)\n"
                  "    return torch.where(mask, mean[..., None, None], image)"],
        "right": ["def mean_fill(image, mask, *, generator=None):\n"
                  "    known = (~mask).to(image)\n"
                  "    mean = image.masked_fill(mask, 0).sum((2, 3), keepdim=True)/known.sum((2, 3), keepdim=True)\n"
                  "    return torch.where(mask, mean, image)",
                  "def mean_fill(image, mask, *, generator=None):\n"
                  "    out = image.clone()\n"
                  "    for b in range(len(image)):\n"
                  "        for c in range(3): out[b, c][mask[b, 0]] = image[b, c][~mask[b, 0]].mean()\n"
                  "    return out"]},
    "scoreboard-2": {
        "wrong": ["def better(a, b): return bool(a.mean() > b.mean())",
                  "def better(a, b): return metrics.interval(a)[0] > metrics.interval(b)[1]",
                  "def better(a, b): return metrics.paired_interval(b, a)[0] > 0",
                  "def better(a, b): return bool((a > b).float().mean() > .6)",
                  "def better(a, b): return metrics.paired_interval(a, b)[1] > 0"],
        "right": ["def better(a, b): return metrics.paired_interval(a, b)[0] > 0",
                  "def better(a, b): return metrics.interval(b - a)[1] < 0"]},
    "scoreboard-3": {
        "wrong": ["import math\ndef psnr_from_sum(total): return -10*math.log10(total/4096)",
                  "import math\ndef psnr_from_sum(total): return -10*math.log10(total)",
                  "import math\ndef psnr_from_sum(total): return 10*math.log10(total/12288)",
                  "import math\ndef psnr_from_sum(total): return -20*math.log10(total/12288)",
                  "import math\ndef psnr_from_sum(total): return -10*math.log(total/12288)"],
        "right": ["import math\ndef psnr_from_sum(total): return -10*math.log10(total/12288)",
                  "def psnr_from_sum(total): return metrics.loss_to_psnr(total)",
                  "def psnr_from_sum(total): return metrics.psnr_of_mean([total/(64*64*3)])"]}}
