"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "vae-gan-1": {
        "wrong": ["""
def unpaired(a, b):  # 1.96 in place of t
    half = 1.96*(np.var(a, ddof=1)/len(a) + np.var(b, ddof=1)/len(b))**.5
    return np.mean(a) - np.mean(b) - half, np.mean(a) - np.mean(b) + half
""", """
def unpaired(a, b):  # n in place of n - 1
    va, vb = np.var(a)/len(a), np.var(b)/len(b)
    degrees = (va + vb)**2/(va**2/(len(a) - 1) + vb**2/(len(b) - 1))
    half = scipy.stats.t.ppf(.975, degrees)*(va + vb)**.5
    return np.mean(a) - np.mean(b) - half, np.mean(a) - np.mean(b) + half
""", """
def unpaired(a, b):  # equal spreads
    low, high = scipy.stats.ttest_ind(a, b).confidence_interval()
    return low, high
""", """
def unpaired(a, b):  # n_a + n_b - 2 degrees
    va, vb = np.var(a, ddof=1)/len(a), np.var(b, ddof=1)/len(b)
    half = scipy.stats.t.ppf(.975, len(a) + len(b) - 2)*(va + vb)**.5
    return np.mean(a) - np.mean(b) - half, np.mean(a) - np.mean(b) + half
""", """
def unpaired(a, b):  # the wrong way round
    found = scipy.stats.ttest_ind(b, a, equal_var=False).confidence_interval()
    return found.low, found.high
"""],
        "right": ["""
def unpaired(a, b):
    found = scipy.stats.ttest_ind(a, b, equal_var=False).confidence_interval(.95)
    return found.low, found.high
""", """
def unpaired(a, b):
    v = [torch.tensor(x, dtype=torch.float64).var().item()/len(x) for x in (a, b)]
    degrees = sum(v)**2/sum(x**2/(len(y) - 1) for x, y in zip(v, (a, b)))
    return scipy.stats.t.interval(.95, degrees, sum(a)/len(a) - sum(b)/len(b), sum(v)**.5)
"""]},
    "vae-gan-2": {
        "wrong": ["""
def pairs_needed(p, power=.8):  # never ends for p = 0
    n = 1
    while True:
        ks = [k for k in range(n + 1) if 2*k > n and scipy.stats.binomtest(k, n).pvalue < .05]
        if sum(scipy.stats.binom.pmf(k, n, p) for k in ks) >= power: return n
        n += 1
""", """
def pairs_needed(p, power=.8):  # one-sided
    for n in range(1, 200):
        ks = [k for k in range(n + 1) if scipy.stats.binomtest(k, n, alternative="greater").pvalue < .05]
        if sum(scipy.stats.binom.pmf(k, n, p) for k in ks) >= power: return n
""", """
def pairs_needed(p, power=.8):  # the power is typed
    for n in range(1, 200):
        ks = [k for k in range(n + 1) if scipy.stats.binomtest(k, n).pvalue < .05]
        if sum(scipy.stats.binom.pmf(k, n, p) for k in ks) >= .8: return n
""", """
def pairs_needed(p, power=.8):  # the expected count decides
    for n in range(1, 200):
        if scipy.stats.binomtest(round(p*n), n).pvalue < .05: return n
""", "def pairs_needed(p, power=.8): return 1000"],
        "right": ["""
def pairs_needed(p, power=.8):
    for n in range(1, 500):
        decisive = [scipy.stats.binomtest(k, n).pvalue < .05 for k in range(n + 1)]
        if (scipy.stats.binom.pmf(np.arange(n + 1), n, p)*decisive).sum() >= power - 1e-12: return n
""", """
def pairs_needed(p, power=.8):
    n = 0
    while n < 500:
        n += 1
        edge = max((k for k in range(n//2 + 1) if scipy.stats.binomtest(k, n).pvalue < .05), default=-1)
        if scipy.stats.binom.cdf(edge, n, p) + scipy.stats.binom.sf(n - edge - 1, n, p) >= power: return n
"""]},
    "vae-gan-3": {
        "wrong": ["def spend(db): return db/(10*math.log10(2))",
                  "def spend(db): return (10**(db/10) - 1)**.5",
                  """
def spend(db):  # linear in the error
    if not 0 <= db <= 10*math.log10(2): raise InputError("no")
    return 10**(db/10) - 1
""", """
def spend(db):  # 20 in place of 10
    if not 0 <= db <= 10*math.log10(2): raise InputError("no")
    return (10**(db/20) - 1)**.5
""", """
def spend(db):  # the wrong error
    if not 0 <= db <= 10*math.log10(2): raise ValueError("no")
    return (10**(db/10) - 1)**.5
"""],
        "right": ["""
def spend(db):
    if db < 0 or db > 10*math.log10(2): raise InputError(f"{db} dB cannot be spent")
    return math.sqrt(math.expm1(db*math.log(10)/10))
""", """
def spend(db):
    if not 0 <= db <= 10*np.log10(2): raise InputError(f"{db} dB cannot be spent")
    low, high = 0., 1.
    for _ in range(60):
        middle = (low + high)/2
        low, high = (low, middle) if 1 + middle**2 > 10**(db/10) else (middle, high)
    return high
"""]}}
