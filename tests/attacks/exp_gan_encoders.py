"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "gan-encoders-1": {
        "wrong": ["def break_even(printed, n): return printed",
                  "def break_even(printed, n): return printed/published(1., 0., n)",
                  "def break_even(printed, n): return printed/published(1., 1., 2000)",
                  "def break_even(printed, n): return printed/published(0., 1., n)/2"],
        "right": ["def break_even(printed, n): return printed/(published(1., 0., n) + published(0., 1., n))",
                  """
def break_even(printed, n):
    sizes = [32]*(n//32) + [n % 32]
    return 32*n*printed/sum(m*m for m in sizes)
"""]},
    "gan-encoders-2": {
        "wrong": ["def noise_for(mine, true, wanted): return max(0., wanted**2*true - mine)**.5",
                  "def noise_for(mine, true, wanted): return max(0., wanted*true**.5 - mine**.5)/2**.5",
                  "def noise_for(mine, true, wanted): return max(0., wanted*true - mine)**.5/2**.5",
                  "def noise_for(mine, true, wanted): return max(0., wanted**2*true - mine)/2",
                  "def noise_for(mine, true, wanted): return abs(wanted**2*true - mine)**.5/2**.5"],
        "right": ["def noise_for(mine, true, wanted): return np.sqrt(np.clip(wanted**2*true - mine, 0, None)/2)",
                  """
def noise_for(mine, true, wanted):
    low, high = 0., 100.
    for _ in range(80):
        middle = (low + high)/2
        low, high = (low, middle) if (mine + 2*middle**2)/true > wanted**2 else (middle, high)
    return high
"""]},
    "gan-encoders-3": {
        "wrong": ["def worth(psnr, sharp, offer): return psnr - offer[0][0]",
                  "def worth(psnr, sharp, offer): return float(np.interp(sharp, *list(zip(*offer))[::-1]) - psnr)",
                  "def worth(psnr, sharp, offer): return psnr - min(offer, key=lambda o: abs(o[1] - sharp))[0]",
                  """
def worth(psnr, sharp, offer):  # at equal PSNR
    values, sharpness = zip(*offer[::-1])
    return float(sharp - np.interp(psnr, values, sharpness))
"""],
        "right": ["""
def worth(psnr, sharp, offer):
    return psnr - np.interp(sharp, [s for _, s in offer], [p for p, _ in offer])
""", """
def worth(psnr, sharp, offer):
    for (p, s), (q, t) in zip(offer, offer[1:]):
        if s <= sharp <= t: return psnr - (p + (q - p)*(sharp - s)/(t - s))
"""]}}
