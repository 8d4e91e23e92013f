"""Answers to the exercises of 16_kl: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "kl-1": {
        "wrong": ["def bernoulli_kl(p, q): return torch.xlogy(p, p/q)",
                  "def bernoulli_kl(p, q): return torch.xlogy(p, q/p) + torch.xlogy(1 - p, (1 - q)/(1 - p))",
                  "def bernoulli_kl(p, q): return torch.xlogy(q, q/p) + torch.xlogy(1 - q, (1 - q)/(1 - p))",
                  "def bernoulli_kl(p, q): return p*(p/q).log() + (1 - p)*((1 - p)/(1 - q)).log()",
                  "def bernoulli_kl(p, q): return p*(p/q).log2() + (1 - p)*((1 - p)/(1 - q)).log2()",
                  "def bernoulli_kl(p, q): return (torch.xlogy(p, p/q) + torch.xlogy(1 - p, (1 - p)/(1 - q))).sum()"],
        "right": ["def bernoulli_kl(p, q): return torch.xlogy(p, p/q) + torch.xlogy(1 - p, (1 - p)/(1 - q))",
                  "def bernoulli_kl(p, q): return kl_divergence(Bernoulli(p), Bernoulli(q))"]},
    "kl-2": {
        "wrong": ["def kl_from_q(log_p, log_q, samples): return (log_p(samples) - log_q(samples)).mean()",
                  "def kl_from_q(log_p, log_q, samples): return (log_q(samples) - log_p(samples)).mean()", """
def kl_from_q(log_p, log_q, samples):
    log_ratio = log_p(samples) - log_q(samples)
    return -(log_ratio.exp()*log_ratio).mean()
""", """
def kl_from_q(log_p, log_q, samples):
    log_ratio = log_q(samples) - log_p(samples)
    return (log_ratio.exp()*log_ratio).mean()
""", """
def kl_from_q(log_p, log_q, samples):
    return (log_p(samples).exp()*(log_p(samples) - log_q(samples))).mean()
"""],
        "right": ["""
def kl_from_q(log_p, log_q, samples):
    log_ratio = log_p(samples) - log_q(samples)
    return (log_ratio.exp()*log_ratio).mean()
""", """
def kl_from_q(log_p, log_q, samples):
    log_ratio = log_p(samples) - log_q(samples)
    return (log_ratio.softmax(0)*log_ratio).sum()
"""]},
    "kl-3": {
        "wrong": ["""
def kl_per_value(mean, log_variance):
    return gaussian_kl(mean.mean(0)[:, None], log_variance.mean(0)[:, None])
""", "def kl_per_value(mean, log_variance): return gaussian_kl(mean, log_variance)",
                  "def kl_per_value(mean, log_variance): return gaussian_kl(mean.T, log_variance.T)",
                  """
def kl_per_value(mean, log_variance):
    return gaussian_kl(mean[..., None], log_variance[..., None]).mean(1)
""", """
def kl_per_value(mean, log_variance):
    return (log_variance.exp() + mean**2 - log_variance).mean(0)/2
"""],
        "right": ["""
def kl_per_value(mean, log_variance):
    return gaussian_kl(mean[..., None], log_variance[..., None]).mean(0)
""", """
def kl_per_value(mean, log_variance):
    return (log_variance.exp() + mean**2 - 1 - log_variance).mean(0)/2
"""]},
}
