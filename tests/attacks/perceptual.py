"""Answers to the exercises of the lesson on perceptual rulers: wrong ones that must fail with a hint, right ones that
must pass."""
ATTACKS = {
    "perceptual-1": {
        "wrong": ["""
def angle_distance(x, y):  # one minus the cosine: half of it
    return (1 - F.cosine_similarity(x, y, dim=1)).mean((1, 2))
""", """
def angle_distance(x, y):  # one length for the whole map
    return 2 - 2*F.cosine_similarity(x.flatten(1), y.flatten(1), dim=1)
""", """
def angle_distance(x, y):  # not squared
    return (2 - 2*F.cosine_similarity(x, y, dim=1)).clamp(min=0).sqrt().mean((1, 2))
""", """
def angle_distance(x, y):  # summed over the places
    return (2 - 2*F.cosine_similarity(x, y, dim=1)).sum((1, 2))
""", """
def angle_distance(x, y):  # one number for all pictures
    return (2 - 2*F.cosine_similarity(x, y, dim=1)).mean()
""", """
def angle_distance(x, y):  # the cosine itself
    return F.cosine_similarity(x, y, dim=1).mean((1, 2))
""", """
def angle_distance(x, y):  # in proportion to the angle
    return (4*F.cosine_similarity(x, y, dim=1).clamp(-1, 1).arccos()/torch.pi).mean((1, 2))
"""],
        "right": ["""
def angle_distance(x, y):
    return 2 - 2*F.cosine_similarity(x, y, dim=1).mean((1, 2))
""", """
def angle_distance(x, y):
    products = torch.einsum("bchw,bchw->bhw", x, y)
    lengths = (torch.einsum("bchw,bchw->bhw", x, x)*torch.einsum("bchw,bchw->bhw", y, y)).sqrt()
    return (2*(1 - products/lengths)).flatten(1).mean(1)
"""]},
    "perceptual-2": {
        "wrong": ["""
def gap(x, y):  # plain
    return float((x.mean(0) - y.mean(0)).square().sum())
""", """
def gap(x, y):  # variances that divide by N
    plain = (x.mean(0) - y.mean(0)).square().sum()
    return float(plain - x.var(0, correction=0).sum()/len(x) - y.var(0, correction=0).sum()/len(y))
""", """
def gap(x, y):  # cut off at 0
    plain = (x.mean(0) - y.mean(0)).square().sum()
    return max(0., float(plain - x.var(0).sum()/len(x) - y.var(0).sum()/len(y)))
""", """
def gap(x, y):  # one set only
    return float((x.mean(0) - y.mean(0)).square().sum() - x.var(0).sum()/len(x))
""", """
def gap(x, y):  # the variance itself, not that of a mean
    return float((x.mean(0) - y.mean(0)).square().sum() - x.var(0).sum() - y.var(0).sum())
""", """
def gap(x, y):  # each set's variance by the other's number
    plain = (x.mean(0) - y.mean(0)).square().sum()
    return float(plain - 2*x.var(0).sum()/len(y) - 2*y.var(0).sum()/len(y))
"""],
        "right": ["""
def gap(x, y):
    n, m = len(x), len(y)
    within_x = ((x @ x.T).sum() - x.square().sum())/(n*(n - 1))
    within_y = ((y @ y.T).sum() - y.square().sum())/(m*(m - 1))
    return within_x + within_y - 2*(x @ y.T).mean()
""", """
def gap(x, y):
    errors = [np.trace(np.cov(z.numpy().T))/len(z) for z in (x, y)]
    return float((x.mean(0) - y.mean(0)).norm()**2) - sum(errors)
"""]},
    "perceptual-3": {
        "wrong": ["""
def leak(metric, output, target, mask):  # the truth itself
    changed = torch.where(mask, output, target)
    return float((metric(changed, target, mask) - metric(output, target, mask)).abs().max())
""", """
def leak(metric, output, target, mask):  # the hidden pixels too
    return float((metric(1 - output.round(), target, mask) - metric(output, target, mask)).abs().max())
""", """
def leak(metric, output, target, mask):  # the mean
    changed = torch.where(mask, output, 1 - output.round())
    return float((metric(changed, target, mask) - metric(output, target, mask)).abs().mean())
""", """
def leak(metric, output, target, mask):  # the sum
    changed = torch.where(mask, output, 1 - output.round())
    return float((metric(changed, target, mask) - metric(output, target, mask)).abs().sum())
""", """
def leak(metric, output, target, mask):  # without the sign
    changed = torch.where(mask, output, 1 - output.round())
    return float((metric(changed, target, mask) - metric(output, target, mask)).max())
""", """
def leak(metric, output, target, mask):  # not a number
    changed = output.where(mask, torch.nan)
    return float((metric(changed, target, mask) - metric(output, target, mask)).abs().max())
""", """
def leak(metric, output, target, mask):  # a few of the known pixels
    changed = output.clone()
    changed[:, :, 4:12, :2] = 1 - changed[:, :, 4:12, :2].round()
    return float((metric(changed, target, mask) - metric(output, target, mask)).abs().max())
""", """
def leak(metric, output, target, mask):  # the wrong side
    changed = torch.where(mask, 1 - output.round(), output)
    return float((metric(changed, target, mask) - metric(output, target, mask)).abs().max())
"""],
        "right": ["""
def leak(metric, output, target, mask):
    changed = torch.where(mask, output, 1 - output.round())
    return float((metric(changed, target, mask) - metric(output, target, mask)).abs().max())
""", """
def leak(metric, output, target, mask):
    changed = (output + .5)%1*~mask + output*mask
    before, after = metric(output, target, mask).tolist(), metric(changed, target, mask).tolist()
    return max(abs(b - a) for a, b in zip(before, after))
"""]}}
