"""Answers to the exercises of 19_context_encoder: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "context_encoder-1": {
        "wrong": ["""
def hole_weights(mask, band):  # the band lies outside the hole
    near = torch.nn.functional.max_pool2d(mask.float(), 2*band + 1, 1, band)
    return mask + 9*near*~mask
""", """
def hole_weights(mask, band):  # half as wide
    near = torch.nn.functional.max_pool2d((~mask).float(), band, 1, band//2)
    return (1 + 9*near)*mask
""", """
def hole_weights(mask, band):  # a diamond, not a square
    near = ~mask
    for _ in range(band):
        cross = near.clone()
        cross[..., 1:, :] |= near[..., :-1, :]
        cross[..., :-1, :] |= near[..., 1:, :]
        cross[..., 1:] |= near[..., :-1]
        cross[..., :-1] |= near[..., 1:]
        near = cross
    return (1. + 9*near)*mask
""", """
def hole_weights(mask, band):  # what lies outside the picture counts as known
    padded = torch.nn.functional.pad((~mask).float(), [band]*4, value=1.)
    return (1 + 9*torch.nn.functional.max_pool2d(padded, 2*band + 1, 1))*mask
""", """
def hole_weights(mask, band):  # 10 in the band and nothing elsewhere
    return 10*torch.nn.functional.max_pool2d((~mask).float(), 2*band + 1, 1, band)*mask
"""],
        "right": ["""
def hole_weights(mask, band):
    near = torch.nn.functional.max_pool2d((~mask).float(), 2*band + 1, 1, band)
    return (1 + 9*near)*mask
""", """
def hole_weights(mask, band):
    deep = -torch.nn.functional.max_pool2d(-mask.float(), 2*band + 1, 1, band)  # all hidden around it
    return torch.where(mask, torch.where(deep > 0, 1., 10.), 0.)
"""]},
    "context_encoder-2": {
        "wrong": ["def balance(rec, adv, share): return share*rec/adv",
                  "def balance(rec, adv, share): return rec/(rec + share*adv)",
                  "def balance(rec, adv, share): return share*adv/(rec + share*adv)",
                  "def balance(rec, adv, share): return rec/(adv + rec)",
                  "def balance(rec, adv, share): return adv/(adv + share*rec)"],
        "right": ["def balance(rec, adv, share): return share*rec/(adv + share*rec)", """
def balance(rec, adv, share):
    low, high = 0., 1.
    for _ in range(200):
        middle = (low + high)/2
        if middle*adv < share*(1 - middle)*rec: low = middle
        else: high = middle
    return low
"""]},
    "context_encoder-3": {
        "wrong": ["def largest_code(width, budget): return budget//(32*width)",
                  "def largest_code(width, budget): return budget//(32*width + 1)",
                  "def largest_code(width, budget): return (budget - 16*width)//(32*width)",
                  "def largest_code(width, budget): return (budget - width)//(2*width + 1)",
                  "def largest_code(width, budget): return (budget - 16*width)//(16*width + 1)",
                  "def largest_code(width, budget): return (budget - 16*width)/(32*width + 1)"],
        "right": ["def largest_code(width, budget): return (budget - 16*width)//(32*width + 1)", """
def largest_code(width, budget):
    n, one = 0, 2*16*width + 1
    left = budget - 16*width
    while left >= one: n, left = n + 1, left - one
    return n
"""]},
}
