"""Answers to the exercises of 18_gan: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "gan-1": {
        "wrong": ["def optimal_with_shares(p, q, real): return p/(p + q)",
                  "def optimal_with_shares(p, q, real): return (1 - real)*p/((1 - real)*p + real*q)",
                  "def optimal_with_shares(p, q, real): return 2*real*p/(p + q)",
                  "def optimal_with_shares(p, q, real): return q/(p + q)",
                  "def optimal_with_shares(p, q, real): return (2*real*p/(p + q)).clamp(0, 1)",
                  "def optimal_with_shares(p, q, real): return real**2*p/(real**2*p + (1 - real)**2*q)"],
        "right": ["def optimal_with_shares(p, q, real): return real*p/(real*p + (1 - real)*q)",
                  """
def optimal_with_shares(p, q, real):
    odds = real/(1 - real)*p/q
    return 1 - 1/(1 + odds)
"""]},
    "gan-2": {
        "wrong": ["def generator_gradient(fake): return -(-fake).sigmoid()",
                  "def generator_gradient(fake): return (-fake).sigmoid()/len(fake)",
                  "def generator_gradient(fake): return -fake.sigmoid()/len(fake)",
                  "def generator_gradient(fake): return -fake.sigmoid()",
                  "def generator_gradient(fake): return -(-fake).exp()/(1 + (-fake).exp())/len(fake)",
                  "def generator_gradient(fake): return -((-fake).sigmoid()/len(fake)).sum()",
                  "def generator_gradient(fake): return -1/(1 + fake.exp())/len(fake)**2"],
        "right": ["def generator_gradient(fake): return -(-fake).sigmoid()/len(fake)",
                  "def generator_gradient(fake): return (fake.sigmoid() - 1)/fake.numel()"]},
    "gan-3": {
        "wrong": ["def effective_modes(share): return float((share >= .02).sum())",
                  "def effective_modes(share): return float(torch.special.entr(share).sum().exp())",
                  "def effective_modes(share): return float(torch.special.entr(share/share.sum()).sum())",
                  "def effective_modes(share): return float((-(share*share.log()).sum()).exp())",
                  """
def effective_modes(share):
    return float(1/(share/share.sum()).square().sum()) if share.sum() else 0.
""",
                  "def effective_modes(share): return float(torch.special.entr(share/share.sum()).sum().exp())"],
        "right": ["""
def effective_modes(share):
    if share.sum() == 0: return 0.
    return float(torch.special.entr(share/share.sum()).sum().exp())
""", """
def effective_modes(share):
    kept = share[share > 0]/share.sum().clamp(min=1e-12)
    return float(kept.pow(-kept).prod()) if len(kept) else 0.
"""]},
}
