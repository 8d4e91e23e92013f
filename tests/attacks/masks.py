"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "masks-1": {
        "wrong": ["def context_gap(a, b, mask): return (a - b).masked_fill(mask, 0).max().item()",
                  "def context_gap(a, b, mask): return (b - a).masked_fill(mask, 0).max().item()",
                  "def context_gap(a, b, mask): return (a - b).abs().max().item()",
                  "def context_gap(a, b, mask): return (a - b).masked_fill(~mask, 0).abs().max().item()",
                  "def context_gap(a, b, mask): return ((a - b)*~mask).abs().max().item()",
                  "def context_gap(a, b, mask): return (a - b).masked_fill(mask, 0).abs().mean().item()",
                  "def context_gap(a, b, mask): return (a - b).masked_fill(mask, 0).abs().max()"],
        "right": ["def context_gap(a, b, mask): return (a - b).masked_fill(mask, 0).abs().max().item()",
                  "def context_gap(a, b, mask): return max(abs(a - b)[~mask.expand_as(a)].tolist())"]},
    "masks-2": {
        "wrong": ["def best(truths): return truths.mean(0)",
                  "def best(truths): return truths.median(0).values",
                  "def best(truths): return truths.quantile(.25, dim=0)",
                  "def best(truths): return truths.quantile(.75).expand(3, 4, 4)",
                  "def best(truths): return truths.transpose(0, 1).flatten(1).quantile(.75, 1)"
                  ".view(3, 1, 1).expand(3, 4, 4)",
                  "def best(truths): return truths.quantile(.67, dim=0)",
                  "def best(truths): return 1.2*truths.mean(0)"],
        "right": ["def best(truths): return truths.quantile(.75, dim=0)",
                  "def best(truths): return truths.sort(0).values[round(.75*(len(truths) - 1))]"]},
    "masks-3": {
        "wrong": ["def safe_shrink(image, mask):\n    return F.avg_pool2d(image, 2), F.max_pool2d(mask.float(), 2) > 0",
                  "def safe_shrink(image, mask):\n"
                  "    hidden = mask[..., ::2, ::2]\n"
                  "    return F.avg_pool2d(image.masked_fill(mask, 0), 2).masked_fill(hidden, 0), hidden",
                  "def safe_shrink(image, mask):\n"
                  "    hidden = F.avg_pool2d(mask.float(), 2) > .5\n"
                  "    return F.avg_pool2d(image.masked_fill(mask, 0), 2).masked_fill(hidden, 0), hidden",
                  "def safe_shrink(image, mask):\n"
                  "    hidden = F.max_pool2d(mask.float(), 2) > 0\n"
                  "    return F.avg_pool2d(image.masked_fill(mask, 0), 2), hidden",
                  "def safe_shrink(image, mask):\n"
                  "    hidden = F.max_pool2d(mask.float(), 2) > 0\n"
                  "    return image.masked_fill(mask, 0)[..., ::2, ::2].masked_fill(hidden, 0), hidden"],
        "right": ["def safe_shrink(image, mask):\n"
                  "    hidden = F.max_pool2d(mask.float(), 2) > 0\n"
                  "    return F.avg_pool2d(image.masked_fill(mask, 0), 2).masked_fill(hidden, 0), hidden",
                  "def safe_shrink(image, mask):\n"
                  "    parts = [(i, j) for i in (0, 1) for j in (0, 1)]\n"
                  "    hidden = sum(mask[..., i::2, j::2].int() for i, j in parts) > 0\n"
                  "    mean = sum(image[..., i::2, j::2] for i, j in parts)/4\n"
                  "    return torch.where(hidden, torch.zeros_like(mean), mean), hidden"]}}
