"""Answers that must fail with a hint, and answers that must pass."""
MISFIT = """def misfit(known, donor):
    k, g = (x - x.mean(1, keepdim=True) for x in (known, donor))
    gain = (k*g).sum(1)/g.square().sum(1).clamp_min(1e-9)
    return float((k - gain[:, None]*g).square().mean()**.5)
"""
ATTACKS = {
    "completion-1": {
        "wrong": ["def closest(image, known, bank): return (bank - image).square().sum((1, 2, 3)).argmin().item()",
                  "def closest(image, known, bank):\n"
                  "    return torch.where(known, bank - image, 0.).abs().sum((1, 2, 3)).argmin().item()",
                  "def closest(image, known, bank):\n"
                  "    return torch.where(known, bank*image, 0.).sum((1, 2, 3)).argmax().item()",
                  "def closest(image, known, bank):\n"
                  "    mean = lambda x: x.masked_fill(~known, 0.).sum((-2, -1))\n"
                  "    return (mean(bank) - mean(image)).square().sum(1).argmin().item()",
                  "def closest(image, known, bank):\n"
                  "    return ((bank - image).square()*known).sum((1, 2, 3)).argmin().item()",
                  "def closest(image, known, bank):\n"
                  "    return torch.where(known, bank - image, 0.).square().sum((1, 2, 3)).argmin()",
                  "def closest(image, known, bank):\n"
                  "    return torch.where(known, bank - image, 0.).square().sum((1, 2, 3)).argmax().item()"],
        "right": ["def closest(image, known, bank):\n"
                  "    return torch.where(known, bank - image, 0.).square().sum((1, 2, 3)).argmin().item()",
                  "def closest(image, known, bank):\n"
                  "    at = known.expand_as(image)\n"
                  "    errors = [float(((picture[at] - image[at])**2).mean()) for picture in bank]\n"
                  "    return errors.index(min(errors))"]},
    "completion-2": {
        "wrong": ["def misfit(known, donor): return float((known - donor).square().mean()**.5)",
                  "def misfit(known, donor): return float((known - donor).var(1, correction=0).mean()**.5)",
                  "def misfit(known, donor):\n"
                  "    gain = (known*donor).sum(1, keepdim=True)/donor.square().sum(1, keepdim=True)\n"
                  "    return float((known - gain*donor).square().mean()**.5)",
                  MISFIT.replace(".clamp_min(1e-9)", ""),
                  MISFIT.replace("g.square().sum(1)", "k.square().sum(1)"),
                  MISFIT.replace("(k*g).sum(1)/g.square().sum(1).clamp_min(1e-9)",
                                 "(k.square().sum(1)/g.square().sum(1).clamp_min(1e-9)).sqrt()"),
                  MISFIT.replace(".mean()**.5", ".mean()"),
                  MISFIT.replace("x.mean(1, keepdim=True)", "x.mean()").replace(".sum(1)", ".sum().expand(3)")],
        "right": [MISFIT,
                  "def misfit(known, donor):\n"
                  "    left = []\n"
                  "    for k, g in zip(known.double(), donor.double()):\n"
                  "        A = torch.stack([g, torch.ones_like(g)], 1)\n"
                  "        left.append(k - A @ (torch.linalg.pinv(A) @ k))\n"
                  "    return torch.stack(left).square().mean().sqrt().item()"]},
    "completion-3": {
        "wrong": ["def honest_bank(bank, scored): return bank",
                  "def honest_bank(bank, scored):\n"
                  "    equal = [bool((scored.images == image).flatten(1).all(1).any()) for image in bank.images]\n"
                  "    return bank[[i for i, e in enumerate(equal) if not e]]",
                  "def honest_bank(bank, scored):\n"
                  "    shared = {j for i, j in common(bank, scored)}\n"
                  "    return bank[[i for i in range(len(bank)) if i not in shared]]",
                  "def honest_bank(bank, scored):\n"
                  "    shared = {i for i, _ in common(bank, scored)}\n"
                  "    return [i for i in range(len(bank)) if i not in shared]",
                  "def honest_bank(bank, scored): return bank[[i for i, _ in common(bank, scored)]]"],
        "right": ["def honest_bank(bank, scored):\n"
                  "    shared = {i for i, _ in common(bank, scored)}\n"
                  "    return bank[[i for i in range(len(bank)) if i not in shared]]",
                  "def honest_bank(bank, scored):\n"
                  "    keep = torch.ones(len(bank), dtype=torch.bool)\n"
                  "    for j, i in common(scored, bank): keep[i] = False\n"
                  "    return bank[keep]"]}}
