"""Answers to the exercises of 17_vae: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "vae-1": {
        "wrong": ["def exponential(rate, u): return u/rate",
                  "def exponential(rate, u): return torch.full_like(u, .5)*2/rate*.5",
                  "def exponential(rate, u): return torch.log1p(-u)/rate",
                  "def exponential(rate, u): return -torch.log1p(-u)*rate",
                  "def exponential(rate, u): return -torch.log1p(-u)/rate.item()",
                  "def exponential(rate, u): return torch.distributions.Exponential(rate).rsample(u.shape)",
                  "def exponential(rate, u): return 1 - torch.exp(-rate*u)"],
        "right": ["def exponential(rate, u): return -torch.log1p(-u)/rate",
                  "def exponential(rate, u): return -u.log()/rate"]},
    "vae-2": {
        "wrong": ["def beta_for(error, levels, hole_px): return 2*levels**2",
                  "def beta_for(error, levels, hole_px): return 2*levels/255",
                  "def beta_for(error, levels, hole_px): return 2*(levels/255)**2",
                  "def beta_for(error, levels, hole_px): return (levels/255)**2", """
def beta_for(error, levels, hole_px):
    variance = (levels/255)**2
    return 2*variance if error == "sum" else 2*variance/(3*hole_px**2)
""", """
def beta_for(error, levels, hole_px):
    variance = (levels/255)**2
    return 2*variance if error == "sum" else 2*variance*12288/hole_px**2
""", """
def beta_for(error, levels, hole_px):
    return 2*(levels/255)**2*12288/(3*hole_px**2)
"""],
        "right": ["""
def beta_for(error, levels, hole_px):
    variance = (levels/255)**2
    return 2*variance if error == "sum" else 2*variance*12288/(3*hole_px**2)
""", """
def beta_for(error, levels, hole_px):
    share = {"sum": 1., "mean": (64/hole_px)**2}[error]
    return torch.tensor(levels/255).square().mul(2*share).item()
"""]},
    "vae-3": {
        "wrong": ["def active(mean): return int((mean.std(0) > .01).sum())",
                  "def active(mean): return int((mean.var(1) > .01).sum())",
                  "def active(mean): return int((mean.square().mean(0) > .01).sum())",
                  "def active(mean): return int((mean != 0).any(0).sum())",
                  "def active(mean): return (mean.var(0) > .01).sum()",
                  "def active(mean): return int((mean.var(0) > .1).sum())",
                  "def active(mean): return mean.shape[1]"],
        "right": ["def active(mean): return int((mean.var(0) > .01).sum())",
                  "def active(mean): return sum(float(((m - m.mean())**2).mean()) > .01 for m in mean.T)"]},
}
