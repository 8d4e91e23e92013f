"""Answers that must fail with a hint, and answers that must pass."""
NEAREST = """def nearest(targets, sources, known):
    apart = sources.square().sum(1) - 2*targets @ sources.T
    return apart.masked_fill(~known, torch.inf).argmin(1)
"""
OFFERS = """def offers(rows, columns, dy, dx):
    height, width = rows.shape
    y = (torch.arange(height) + dy).clamp(0, height - 1)[:, None]
    x = (torch.arange(width) + dx).clamp(0, width - 1)
    return rows[y, x] - dy, columns[y, x] - dx
"""
VOTES = """def votes(signal, match, side):
    total, count = torch.zeros_like(signal), torch.zeros_like(signal)
    for i, m in enumerate(match.tolist()):
        total[i:i + side] += signal[m:m + side]
        count[i:i + side] += 1
    return total/count
"""
ATTACKS = {
    "patches-1": {
        "wrong": ["def nearest(targets, sources, known):\n"
                  "    return (targets @ sources.T).masked_fill(~known, -torch.inf).argmax(1)",
                  NEAREST.replace("2*targets", "targets"),
                  NEAREST.replace(".masked_fill(~known, torch.inf)", ""),
                  NEAREST.replace("argmin", "argmax").replace("torch.inf", "-torch.inf"),
                  "def nearest(targets, sources, known):\n"
                  "    some = sources[known]\n"
                  "    return (some.square().sum(1) - 2*targets @ some.T).argmin(1)",
                  NEAREST.replace("argmin(1)", "argmin(0)"),
                  NEAREST.replace("sources.square().sum(1)", "targets.square().sum(1, keepdim=True)"),
                  NEAREST.replace("~known", "known")],
        "right": [NEAREST,
                  "def nearest(targets, sources, known):\n"
                  "    some = known.nonzero()[:, 0]\n"
                  "    return some[torch.cdist(targets.double(), sources[some].double()).argmin(1)]",
                  "def nearest(targets, sources, known):\n"
                  "    score = targets @ sources.T - (sources**2).sum(1)/2\n"
                  "    score[:, ~known] = -float('inf')\n"
                  "    return score.max(1).indices"]},
    "patches-2": {
        "wrong": [OFFERS.replace(" - dy, columns", ", columns").replace("[y, x] - dx", "[y, x]"),
                  OFFERS.replace("rows[y, x] - dy, columns[y, x] - dx", "rows[y, x] + dy, columns[y, x] + dx"),
                  "def offers(rows, columns, dy, dx):\n"
                  "    return rows.roll((-dy, -dx), (0, 1)) - dy, columns.roll((-dy, -dx), (0, 1)) - dx",
                  OFFERS.replace("(torch.arange(height) + dy)", "(torch.arange(height) - dy)")
                        .replace("(torch.arange(width) + dx)", "(torch.arange(width) - dx)"),
                  OFFERS.replace("rows[y, x] - dy, columns[y, x] - dx", "rows[y, x] - dx, columns[y, x] - dy"),
                  "def offers(rows, columns, dy, dx): return rows - dy, columns - dx"],
        "right": [OFFERS,
                  "def offers(rows, columns, dy, dx):\n"
                  "    height, width = rows.shape\n"
                  "    out = torch.empty_like(rows), torch.empty_like(columns)\n"
                  "    for y in range(height):\n"
                  "        for x in range(width):\n"
                  "            v, w = min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)\n"
                  "            out[0][y, x], out[1][y, x] = rows[v, w] - dy, columns[v, w] - dx\n"
                  "    return out"]},
    "patches-3": {
        "wrong": [VOTES.replace("total/count", "total/side"),
                  VOTES.replace("signal[m:m + side]", "signal[m]"),
                  VOTES.replace("i:i + side", "i:i + 3").replace("m:m + side", "m:m + 3"),
                  VOTES.replace("torch.zeros_like(signal), torch", "signal, torch"),
                  VOTES.replace("total/count", "total"),
                  VOTES.replace("signal[m:m + side]", "signal[i:i + side]"),
                  "def votes(signal, match, side):\n"
                  "    out = signal.clone()\n"
                  "    for i, m in enumerate(match.tolist()): out[i:i + side] = signal[m:m + side]\n"
                  "    return out"],
        "right": [VOTES,
                  "def votes(signal, match, side):\n"
                  "    out = torch.empty_like(signal)\n"
                  "    for x in range(len(signal)):\n"
                  "        over = range(max(0, x - side + 1), min(x, len(match) - 1) + 1)\n"
                  "        out[x] = sum(signal[match[i] + x - i] for i in over)/len(over)\n"
                  "    return out"]}}
