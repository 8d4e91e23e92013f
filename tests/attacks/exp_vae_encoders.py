"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "vae-encoders-1": {
        "wrong": ["def seeds_needed(sd, gap): return max(2, int((1.96*sd/gap)**2) + 1)",
                  """
def seeds_needed(sd, gap):  # t with n degrees
    n = 2
    while scipy.stats.t.ppf(.975, n)*sd/n**.5 >= gap: n += 1
    return n
""", """
def seeds_needed(sd, gap):  # one-sided
    n = 2
    while scipy.stats.t.ppf(.95, n - 1)*sd/n**.5 >= gap: n += 1
    return n
""", """
def seeds_needed(sd, gap):  # divided by n
    n = 2
    while scipy.stats.t.ppf(.975, n - 1)*sd/n >= gap: n += 1
    return n
""", """
def seeds_needed(sd, gap):  # the whole width
    n = 2
    while 2*scipy.stats.t.ppf(.975, n - 1)*sd/n**.5 >= gap: n += 1
    return n
""", "def seeds_needed(sd, gap): return 1"],
        "right": ["""
def seeds_needed(sd, gap):
    return next(n for n in range(2, 10_000) if scipy.stats.t.interval(.95, n - 1, scale=sd/n**.5)[1] < gap)
""", """
def seeds_needed(sd, gap):
    n = np.arange(2, 2000)
    return n[scipy.stats.t.ppf(.975, n - 1)*sd/np.sqrt(n) < gap][0]
"""]},
    "vae-encoders-2": {
        "wrong": ["def upset(a, b): return float(np.mean([x > y for x, y in zip(a, b)]))",
                  "def upset(a, b): return float(np.mean([(x > y) + .5*(x == y) for x in a for y in b]))",
                  """
def upset(a, b):  # ties mislead always
    if np.mean(a) > np.mean(b): a, b = b, a
    return float(np.mean([x >= y for x in a for y in b]))
""", """
def upset(a, b):  # the share that agrees
    if np.mean(a) > np.mean(b): a, b = b, a
    return float(np.mean([(x < y) + .5*(x == y) for x in a for y in b]))
"""],
        "right": ["""
def upset(a, b):
    sign = np.sign(np.subtract.outer(a, b))
    return float((1 - sign.mean()*np.sign(np.mean(a) - np.mean(b)))/2)
""", """
def upset(a, b):
    low, high = sorted((a, b), key=np.mean)
    wrong = sum(1. for x in low for y in high if x > y) + sum(.5 for x in low for y in high if x == y)
    return wrong/(len(a)*len(b))
"""]},
    "vae-encoders-3": {
        "wrong": ["def front(networks): return sorted(networks, key=lambda n: networks[n][1])",
                  """
def front(networks):  # best first
    kept = [n for n, (q, c) in networks.items()
            if not any(q2 >= q and d <= c and (q2, d) != (q, c) for q2, d in networks.values())]
    return sorted(kept, key=lambda n: -networks[n][0])
""", """
def front(networks):  # strictly better on both
    kept = [n for n, (q, c) in networks.items() if not any(q2 > q and d < c for q2, d in networks.values())]
    return sorted(kept, key=lambda n: networks[n][1])
""", """
def front(networks):  # of two equal ones one goes
    kept, best = [], -1e9
    for n in sorted(networks, key=lambda n: (networks[n][1], -networks[n][0])):
        if networks[n][0] > best: kept.append(n)
        best = max(best, networks[n][0])
    return kept
""", "def front(networks): return [max(networks, key=lambda n: networks[n][0])]"],
        "right": ["""
def front(networks):
    def stays(name):
        q, c = networks[name]
        return all((q2, d) == (q, c) or q2 < q or d > c for q2, d in networks.values())
    return sorted(filter(stays, networks), key=lambda n: networks[n][1])
""", """
def front(networks):
    out = {a for a, (q, c) in networks.items() for q2, d in networks.values()
           if q2 >= q and d <= c and (q2 > q or d < c)}
    return sorted(networks.keys() - out, key=lambda n: (networks[n][1], n))
"""]}}
