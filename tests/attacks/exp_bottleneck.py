"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "bottleneck-1": {
        "wrong": ["def same_share(n, hole, other): return n",
                  "def same_share(n, hole, other): return round(n*other/hole)",
                  "def same_share(n, hole, other): return n*other**2//hole**2",
                  "def same_share(n, hole, other): return n*other**2/hole**2",
                  "def same_share(n, hole, other): return round(n*hole**2/other**2)"],
        "right": ["def same_share(n, hole, other): return int(n*other*other/(hole*hole) + .5)",
                  "def same_share(n, hole, other): return round(n/(3*hole**2)*3*other**2)"]},
    "bottleneck-2": {
        "wrong": ["def span(widths, bends): return min(widths)",
                  "def span(widths, bends): return widths[-1]",
                  """
def span(widths, bends):  # without the output
    return min(widths[max((i + 1 for i, b in enumerate(bends) if b), default=0):-1])
""",
                  "def span(widths, bends): return min(widths[max((i for i, b in enumerate(bends) if b), default=0):])",
                  "def span(widths, bends): return min(widths[next((i + 1 for i, b in enumerate(bends) if b), 0):])"],
        "right": ["""
def span(widths, bends):
    room = widths[0]
    for width, bend in zip(widths[1:], bends): room = width if bend else min(room, width)
    return room
""", """
def span(widths, bends):
    stretch = []
    for width, bend in zip(reversed(widths), [*reversed(bends), False]):
        stretch.append(width)
        if bend: break
    return min(stretch)
"""]},
    "bottleneck-3": {
        "wrong": ["""
def components_needed(windows, target):  # 20 times the logarithm
    s = torch.linalg.svdvals(windows - windows.mean(0))
    left = torch.cat([s.square().flip(0).cumsum(0).flip(0), torch.zeros(1)])/windows.numel()
    return int((-20*left.log10() >= target).nonzero()[0])
""", """
def components_needed(windows, target):  # the mean is left in
    s = torch.linalg.svdvals(windows)
    left = torch.cat([s.square().flip(0).cumsum(0).flip(0), torch.zeros(1)])/windows.numel()
    return int((-10*left.log10() >= target).nonzero()[0])
""", """
def components_needed(windows, target):  # one too many
    s = torch.linalg.svdvals(windows - windows.mean(0))
    left = torch.cat([s.square().flip(0).cumsum(0).flip(0), torch.zeros(1)])/windows.numel()
    return 1 + int((-10*left.log10() >= target).nonzero()[0])
""", """
def components_needed(windows, target):  # divided by the pictures alone
    s = torch.linalg.svdvals(windows - windows.mean(0))
    left = torch.cat([s.square().flip(0).cumsum(0).flip(0), torch.zeros(1)])/len(windows)
    return int((-10*left.log10() >= target).nonzero()[0])
"""],
        "right": ["""
def components_needed(windows, target):
    s, k = torch.linalg.svdvals(windows - windows.mean(0)), 0
    while k < len(s) and -10*float((s[k:].square().sum()/windows.numel()).log10()) < target: k += 1
    return k
""", """
def components_needed(windows, target):
    s = np.linalg.svd((windows - windows.mean(0)).numpy(), compute_uv=False)
    allowed = 10**(-target/10)*windows.numel()
    return int(np.sum(np.cumsum((s**2)[::-1])[::-1] > allowed))
"""]}}
