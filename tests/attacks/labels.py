"""Answers that must fail with a hint, and answers that must pass."""
SHIFTED = """def shifted(drawn, image, mask):
    ring = F.max_pool2d(mask.float(), 3, 1, 1).bool() & ~mask
    difference = (image - drawn).where(ring, 0).sum((2, 3), True)/ring.sum((2, 3), True)
    return composite(image, (drawn + difference).clamp(0, 1), mask)
"""
ATTACKS = {
    "labels-1": {
        "wrong": ["def least_error(pictures, labels): return float((pictures - pictures.mean(0)).square().mean())",
                  "def least_error(pictures, labels):\n"
                  "    parts = [pictures[labels == k] for k in labels.unique()]\n"
                  "    return float(torch.stack([(p - p.mean(0)).square().mean() for p in parts]).mean())",
                  "def least_error(pictures, labels): return 0.",
                  "def least_error(pictures, labels):\n"
                  "    parts = [pictures[labels == k] for k in labels.unique()]\n"
                  "    return float(sum(p.var(0).sum() for p in parts)/pictures.numel())",
                  "def least_error(pictures, labels):\n"
                  "    drawn = torch.stack([pictures[labels == label].mean(0) for label in labels])\n"
                  "    return float((pictures - drawn).abs().mean())"],
        "right": ["def least_error(pictures, labels):\n"
                  "    drawn = torch.stack([pictures[labels == label].mean(0) for label in labels])\n"
                  "    return float((pictures - drawn).square().mean())",
                  "def least_error(pictures, labels):\n"
                  "    total = 0.\n"
                  "    for k in labels.unique():\n"
                  "        p = pictures[labels == k]\n"
                  "        total += len(p)*float(p.var(0, correction=0).sum())\n"
                  "    return total/pictures.numel()"]},
    "labels-2": {
        "wrong": ["def best_fill(means, probabilities): return means[probabilities.argmax()]",
                  "def best_fill(means, probabilities): return means.mean(0)",
                  "def best_fill(means, probabilities):\n"
                  "    return (probabilities.view(-1, 1, 1, 1)**2*means).sum(0)/(probabilities**2).sum()",
                  "def best_fill(means, probabilities): return probabilities.view(-1, 1, 1, 1)*means",
                  "def best_fill(means, probabilities): return (probabilities.view(-1, 1, 1, 1)*means).mean(0)"],
        "right": ["def best_fill(means, probabilities): return torch.einsum('k,kchw->chw', probabilities, means)",
                  "def best_fill(means, probabilities): return sum(p*m for p, m in zip(probabilities, means))"]},
    "labels-3": {
        "wrong": [SHIFTED.replace("3, 1, 1)", "5, 1, 2)"),
                  SHIFTED.replace("F.max_pool2d(mask.float(), 3, 1, 1).bool() & ~mask", "~mask"),
                  SHIFTED.replace("(image - drawn).where(ring, 0)", "(image - drawn)*ring")
                  .replace("composite(image, ", "composite(image, ").replace("& ~mask", "& ~mask | mask"),
                  SHIFTED.replace("composite(image, (drawn + difference).clamp(0, 1), mask)",
                                  "(drawn + difference).clamp(0, 1)"),
                  SHIFTED.replace("sum((2, 3), True)", "sum((1, 2, 3), True)").replace(
                      "/ring.sum((1, 2, 3), True)", "/3/ring.sum((1, 2, 3), True)"),
                  SHIFTED.replace("(image - drawn)", "(drawn - image)")],
        "right": [SHIFTED,
                  "def shifted(drawn, image, mask):\n"
                  "    out = image.clone()\n"
                  "    for b in range(len(image)):\n"
                  "        grown = F.max_pool2d(mask[b].float(), 3, 1, 1)[0] > 0\n"
                  "        ring = grown & ~mask[b, 0]\n"
                  "        for c in range(3):\n"
                  "            change = image[b, c][ring].mean() - drawn[b, c][ring].mean()\n"
                  "            out[b, c][mask[b, 0]] = (drawn[b, c] + change).clamp(0, 1)[mask[b, 0]]\n"
                  "    return out"]}}
