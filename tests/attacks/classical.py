"""Answers that must fail with a hint, and answers that must pass."""
SHEPARD = """def shepard(image, mask):
    out = image.clone()
    for b in range(len(image)):
        hidden = mask[b, 0].nonzero()
        rim = ((F.max_pool2d(mask[b].float(), 3, 1, 1)[0] > 0) & ~mask[b, 0]).nonzero()
        weights = 1/torch.cdist(hidden.double(), rim.double())**2
        colours = image[b, :, rim[:, 0], rim[:, 1]].double()
        out[b, :, hidden[:, 0], hidden[:, 1]] = (colours @ weights.T/weights.sum(1)).to(out)
    return out
"""
RED_BLACK = """def red_black(image, mask, steps):
    u = image.masked_fill(mask, 0.)
    rows, columns = (torch.arange(n) for n in image.shape[-2:])
    red = (rows[:, None] + columns) % 2 == 0
    for _ in range(steps):
        u = torch.where(mask & red, u + laplacian(u)/4, u)
        u = torch.where(mask & ~red, u + laplacian(u)/4, u)
    return u
"""
ATTACKS = {
    "classical-1": {
        "wrong": ["def membrane(image, donor, mask): return poisson(image, mask)",
                  "def membrane(image, donor, mask): return poisson(image - donor, mask)",
                  "def membrane(image, donor, mask): return composite(image, donor, mask)",
                  "def membrane(image, donor, mask): return donor - poisson(image - donor, mask)",
                  "def membrane(image, donor, mask): return image + poisson(donor - image, mask)",
                  "def membrane(image, donor, mask): return composite(image, donor + .1, mask)"],
        "right": ["def membrane(image, donor, mask): return donor + poisson(image - donor, mask)",
                  "def membrane(image, donor, mask): return (donor + poisson(image - donor, mask)).clamp(0, 1)",
                  "def membrane(image, donor, mask):\n"
                  "    return composite(image, donor - poisson(donor - image, mask), mask).clamp(0, 1)"]},
    "classical-2": {
        "wrong": [SHEPARD.replace("**2", ""),
                  SHEPARD.replace("1/torch.cdist(hidden.double(), rim.double())**2",
                                  "torch.ones(len(hidden), len(rim)).double()"),
                  SHEPARD.replace("mask[b]", "mask[0]").replace("mask[b, 0]", "mask[0, 0]"),
                  SHEPARD.replace("3, 1, 1)", "5, 1, 2)"),
                  SHEPARD.replace("/weights.sum(1)", "/len(rim)"),
                  SHEPARD.replace("((F.max_pool2d(mask[b].float(), 3, 1, 1)[0] > 0) & ~mask[b, 0])", "(~mask[b, 0])")],
        "right": [SHEPARD,
                  "def shepard(image, mask):\n"
                  "    out = image.clone()\n"
                  "    for b in range(len(image)):\n"
                  "        inside = set(map(tuple, mask[b, 0].nonzero().tolist()))\n"
                  "        height, width = image.shape[2:]\n"
                  "        beside = {(y + dy, x + dx) for y, x in inside for dy in (-1, 0, 1) for dx in (-1, 0, 1)}\n"
                  "        rim = [q for q in beside - inside if 0 <= q[0] < height and 0 <= q[1] < width]\n"
                  "        for y, x in inside:\n"
                  "            weights = [1/((y - v)**2 + (x - w)**2) for v, w in rim]\n"
                  "            total = sum(k*image[b, :, v, w] for k, (v, w) in zip(weights, rim))\n"
                  "            out[b, :, y, x] = total/sum(weights)\n"
                  "    return out"]},
    "classical-3": {
        "wrong": ["def red_black(image, mask, steps):\n"
                  "    u = image.masked_fill(mask, 0.)\n"
                  "    for _ in range(steps): u = torch.where(mask, u + laplacian(u)/4, u)\n"
                  "    return u",
                  RED_BLACK.replace("== 0", "== 1"),
                  RED_BLACK.replace("        u = torch.where(mask & ~red, u + laplacian(u)/4, u)\n", ""),
                  RED_BLACK.replace("for _ in range(steps)", "for _ in range(1)"),
                  RED_BLACK.replace("image.masked_fill(mask, 0.)", "image*~mask"),
                  RED_BLACK.replace("mask & red", "mask[:1] & red").replace("mask & ~red", "mask[:1] & ~red")],
        "right": [RED_BLACK,
                  "def red_black(image, mask, steps):\n"
                  "    u = image.masked_fill(mask, 0.)\n"
                  "    parity = torch.arange(image.shape[2]).view(-1, 1) + torch.arange(image.shape[3])\n"
                  "    for i in range(2*steps):\n"
                  "        p = F.pad(u, (1, 1, 1, 1), mode='replicate')\n"
                  "        mean = (p[..., :-2, 1:-1] + p[..., 2:, 1:-1] + p[..., 1:-1, :-2] + p[..., 1:-1, 2:])/4\n"
                  "        u = torch.where(mask & (parity % 2 == i % 2), mean, u)\n"
                  "    return u"]}}
