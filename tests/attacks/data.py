"""Answers that must fail with a hint, and answers that must pass."""
GROUPS = """def group_split(groups, share, generator):
    photographs = groups.unique()
    n = min(max(1, round(share*len(photographs))), len(photographs) - 1)
    chosen = photographs[torch.randperm(len(photographs), generator=generator)[:n]]
    held = torch.isin(groups, chosen)
"""
ATTACKS = {
    "data-1": {
        "wrong": [
            "def group_split(groups, share, generator):\n"
            "    order = torch.randperm(len(groups), generator=generator)\n"
            "    n = round(share*len(groups))\n"
            "    return order[n:], order[:n]",
            GROUPS + "    return groups[~held], groups[held]",
            GROUPS.replace("[torch.randperm(len(photographs), generator=generator)[:n]]", "[:n]")
            + "    return (~held).nonzero().flatten(), held.nonzero().flatten()",
            GROUPS.replace("min(max(1, round(share*len(photographs))), len(photographs) - 1)",
                           "round(share*len(photographs))")
            + "    return (~held).nonzero().flatten(), held.nonzero().flatten()",
            GROUPS.replace("generator=generator", "")
            + "    return (~held).nonzero().flatten(), held.nonzero().flatten()"],
        "right": [
            GROUPS + "    return (~held).nonzero().flatten(), held.nonzero().flatten()",
            "def group_split(groups, share, generator):\n"
            "    names = sorted(set(groups.tolist()))\n"
            "    order = torch.randperm(len(names), generator=generator).tolist()\n"
            "    n = min(max(round(share*len(names)), 1), len(names) - 1)\n"
            "    held = {names[i] for i in order[:n]}\n"
            "    train = [i for i, g in enumerate(groups.tolist()) if g not in held]\n"
            "    return torch.tensor(train), torch.tensor(sorted(set(range(len(groups))) - set(train)))"]},
    "data-2": {
        "wrong": ["def mirrored(a, b): return common(a, b)",
                  "def mirrored(a, b): return common(replace(a, images=a.images.flip(3)), b)",
                  "def mirrored(a, b):\n"
                  "    return sorted(set(common(replace(a, images=a.images.flip(2)), b)) - set(common(a, b)))",
                  "def mirrored(a, b): return []",
                  "def mirrored(a, b):\n"
                  "    pairs = set(common(replace(a, images=a.images.flip(3)), b)) - set(common(a, b))\n"
                  "    return [(j, i) for i, j in pairs]"],
        "right": ["def mirrored(a, b):\n"
                  "    return sorted(set(common(replace(a, images=a.images.flip(3)), b)) - set(common(a, b)))",
                  "def mirrored(a, b):\n"
                  "    asis = common(a, b)\n"
                  "    return [pair for pair in common(a, replace(b, images=b.images.flip(-1))) if pair not in asis]"]},
    "data-3": {
        "wrong": ["def balanced(labels, n, generator):\n"
                  "    return torch.cat([(labels == k).nonzero().flatten()[:n] for k in labels.unique() if k >= 0])",
                  "def balanced(labels, n, generator):\n"
                  "    order = torch.randperm(len(labels), generator=generator)\n"
                  "    return torch.cat([order[labels[order] == k][:n] for k in labels.unique()])",
                  "def balanced(labels, n, generator):\n"
                  "    return torch.randperm(len(labels), generator=generator)[:3*n]",
                  "def balanced(labels, n, generator):\n"
                  "    picks = [(labels == k).nonzero().flatten() for k in labels.unique() if k >= 0]\n"
                  "    return torch.cat([p[torch.randint(len(p), (n,), generator=generator)] for p in picks])",
                  "def balanced(labels, n, generator):\n"
                  "    order = torch.randperm(len(labels), generator=generator)\n"
                  "    return torch.cat([order[labels[order] == k][:3] for k in labels.unique() if k >= 0])"],
        "right": ["def balanced(labels, n, generator):\n"
                  "    order = torch.randperm(len(labels), generator=generator)\n"
                  "    return torch.cat([order[labels[order] == k][:n] for k in labels.unique() if k >= 0])",
                  "def balanced(labels, n, generator):\n"
                  "    taken, chosen = {}, []\n"
                  "    for i in torch.randperm(len(labels), generator=generator).tolist():\n"
                  "        k = int(labels[i])\n"
                  "        if k < 0 or taken.get(k, 0) == n: continue\n"
                  "        taken[k] = taken.get(k, 0) + 1\n"
                  "        chosen.append(i)\n"
                  "    return chosen"]}}
