"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "experiments-1": {
        "wrong": ["def runs(a, b, c, shared, s): return (a*b + c)*s",
                  "def runs(a, b, c, shared, s): return a*b + c - shared",
                  "def runs(a, b, c, shared, s): return (a + b + c - shared)*s",
                  "def runs(a, b, c, shared, s): return a*b*s + c - shared"],
        "right": ["def runs(a, b, c, shared, s): return (a*b + c - shared)*s",
                  """
def runs(a, b, c, shared, s):
    first = {(i, j) for i in range(a) for j in range(b)}
    second = {("own", k) for k in range(c - shared)} | set(list(first)[:shared])
    return len({(pair, seed) for pair in first | second for seed in range(s)})
"""]},
    "experiments-2": {
        "wrong": ["def decided(p, level=.05): return [x <= level for x in p]",
                  "def decided(p, level=.05): return [x <= level/len(p) for x in p]",
                  """
def decided(p, level=.05):  # does not stop
    order = sorted(range(len(p)), key=lambda i: p[i])
    return [p[i] <= level/(len(p) - order.index(i)) for i in range(len(p))]
""", """
def decided(p, level=.05):  # in the order of size
    found, going = [], True
    for k, x in enumerate(sorted(p)):
        going = going and x <= level/(len(p) - k)
        found.append(going)
    return found
""", """
def decided(p, level=.05):  # the level is typed
    found = [False]*len(p)
    for k, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[i] > .05/(len(p) - k): break
        found[i] = True
    return found
"""],
        "right": ["""
def decided(p, level=.05):
    largest, order = 0, sorted(range(len(p)), key=lambda i: p[i])
    found = {}
    for k, i in enumerate(order):
        largest = max(largest, p[i]*(len(p) - k))
        found[i] = largest <= level
    return [found[i] for i in range(len(p))]
""", """
def decided(p, level=.05):
    order = np.argsort(p)
    passed = np.sort(p) <= level/np.arange(len(p), 0, -1)
    n = len(p) if passed.all() else int(passed.argmin())
    return list(np.isin(np.arange(len(p)), order[:n]))
"""]},
    "experiments-3": {
        "wrong": ["""
def odd(configs, varied):  # the first two only
    return sorted(k for k, v in asdict(configs[0]).items() if v != asdict(configs[1])[k] and k not in varied)
""", """
def odd(configs, varied):  # first with last
    return sorted(k for k, v in asdict(configs[0]).items() if v != asdict(configs[-1])[k] and k not in varied)
""", """
def odd(configs, varied):  # not sorted
    return [k for k in reversed(asdict(configs[0])) if len({getattr(c, k) for c in configs}) > 1 and k not in varied]
""", """
def odd(configs, varied):  # what may vary is named as well
    return sorted(k for k in asdict(configs[0]) if len({getattr(c, k) for c in configs}) > 1)
"""],
        "right": ["""
def odd(configs, varied):
    return sorted(k for k in asdict(configs[0]) if k not in varied and len({getattr(c, k) for c in configs}) > 1)
""", """
def odd(configs, varied):
    found = set()
    for config in configs[1:]:
        for key, value in asdict(config).items():
            if value != asdict(configs[0])[key] and key not in varied: found.add(key)
    return sorted(found)
"""]}}
