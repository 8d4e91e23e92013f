"""Answers that must fail with a hint, and answers that must pass."""
DISTANCES = """def distances(target, known, sources):
    apart = torch.where(known, sources - target, 0.).square()
    return apart.sum((1, 2, 3))/(3*known.sum())
"""
FILL_ONE = """def fill_one(image, missing, y, x, side):
    out = image.clone()
    at = slice(y - side//2, y + side//2 + 1), slice(x - side//2, x + side//2 + 1)
    hidden = missing[0][at]
    sources = squares(image[None], side)
    whole = ~squares(missing[None], side).flatten(1).any(1)
    apart = torch.where(~hidden, sources - image[:, *at], 0.).square().sum((1, 2, 3)).masked_fill(~whole, torch.inf)
    out[:, *at] = torch.where(hidden, sources[apart.argmin()], image[:, *at])
    return out
"""
ATTACKS = {
    "exemplar-1": {
        "wrong": [DISTANCES.replace("/(3*known.sum())", ""),
                  DISTANCES.replace("3*known.sum()", "known.sum()"),
                  DISTANCES.replace("3*known.sum()", "3*known.numel()"),
                  DISTANCES.replace("apart.sum((1, 2, 3))/(3*known.sum())",
                                    "(apart.sum((1, 2, 3))/(3*known.sum()))**.5"),
                  "def distances(target, known, sources):\n"
                  "    return ((sources - target)**2*known).sum((1, 2, 3))/known.sum()/3",
                  DISTANCES.replace(".square()", ".abs()"),
                  "def distances(target, known, sources):\n"
                  "    return (sources - target.nan_to_num()).square().mean((1, 2, 3))"],
        "right": [DISTANCES,
                  "def distances(target, known, sources):\n"
                  "    at = known.expand_as(target)\n"
                  "    return torch.stack([((s[at] - target[at])**2).mean() for s in sources])"]},
    "exemplar-2": {
        "wrong": ["def confidence(trust, side): return F.avg_pool2d(trust[None, None], side, 1, side//2)[0, 0]*side**2",
                  "def confidence(trust, side):\n"
                  "    return F.avg_pool2d(trust[None, None], side, 1, side//2, count_include_pad=False)[0, 0]",
                  "def confidence(trust, side): return F.avg_pool2d(trust[None, None], 5, 1, 2)[0, 0]",
                  "def confidence(trust, side):\n"
                  "    padded = F.pad(trust[None, None], (side//2,)*4, mode='replicate')\n"
                  "    return F.avg_pool2d(padded, side, 1)[0, 0]",
                  "def confidence(trust, side): return F.avg_pool2d(trust[None, None], side, 1)[0, 0]"],
        "right": ["def confidence(trust, side): return F.avg_pool2d(trust[None, None], side, 1, side//2)[0, 0]",
                  "def confidence(trust, side):\n"
                  "    blurred = cv2.boxFilter(trust.numpy(), -1, (side, side), borderType=cv2.BORDER_CONSTANT)\n"
                  "    return torch.from_numpy(blurred)",
                  "def confidence(trust, side):\n"
                  "    padded, out = F.pad(trust, (side//2,)*4), torch.zeros_like(trust)\n"
                  "    for dy in range(side):\n"
                  "        for dx in range(side): out += padded[dy:dy + len(trust), dx:dx + trust.shape[1]]\n"
                  "    return out/side**2"]},
    "exemplar-3": {
        "wrong": [FILL_ONE.replace("image.clone()", "image"),
                  FILL_ONE.replace("torch.where(hidden, sources[apart.argmin()], image[:, *at])",
                                   "sources[apart.argmin()] + .01"),
                  FILL_ONE.replace(".masked_fill(~whole, torch.inf)", ".nan_to_num(0.)"),
                  FILL_ONE.replace("argmin", "argmax").replace("torch.inf", "-torch.inf"),
                  FILL_ONE.replace("torch.where(~hidden, sources - image[:, *at], 0.)",
                                   "(sources - image[:, *at].nan_to_num())"),
                  FILL_ONE.replace("slice(y - side//2, y + side//2 + 1), slice(x - side//2, x + side//2 + 1)",
                                   "slice(x - side//2, x + side//2 + 1), slice(y - side//2, y + side//2 + 1)")],
        "right": [FILL_ONE,
                  "def fill_one(image, missing, y, x, side):\n"
                  "    h, out, best, least = side//2, image.clone(), None, float('inf')\n"
                  "    rows, columns = slice(y - h, y + h + 1), slice(x - h, x + h + 1)\n"
                  "    known = ~missing[0, rows, columns]\n"
                  "    for top in range(image.shape[1] - side + 1):\n"
                  "        for left in range(image.shape[2] - side + 1):\n"
                  "            if missing[0, top:top + side, left:left + side].any(): continue\n"
                  "            source = image[:, top:top + side, left:left + side]\n"
                  "            apart = float(((source - image[:, rows, columns])[:, known]**2).sum())\n"
                  "            if apart < least: best, least = source, apart\n"
                  "    out[:, rows, columns] = torch.where(known, out[:, rows, columns], best)\n"
                  "    return out"]}}
