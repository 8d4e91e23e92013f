"""Answers to the exercises of 26_masked_convs: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "masked_convs-1": {
        "wrong": ["""
def normalised(x, known, weight):  # divided by how many are known
    k, channels = weight.shape[-1], x.shape[1]
    sums = F.conv2d(x*known, weight.expand(channels, 1, k, k)/weight.sum(), padding=k//2, groups=channels)
    count = F.conv2d(known, torch.ones(1, 1, k, k), padding=k//2)
    return torch.where(count > 0, sums*k*k/count.clamp(min=1), 0.)
""", """
def normalised(x, known, weight):  # hidden values are used
    k, channels = weight.shape[-1], x.shape[1]
    sums = F.conv2d(x, weight.expand(channels, 1, k, k), padding=k//2, groups=channels)
    weights = F.conv2d(known, weight.expand(1, 1, k, k), padding=k//2)
    return torch.where(weights > 0, sums/weights.clamp(min=1e-9), 0.)
""", """
def normalised(x, known, weight):  # 0/0 where nothing is known
    k, channels = weight.shape[-1], x.shape[1]
    sums = F.conv2d(x*known, weight.expand(channels, 1, k, k), padding=k//2, groups=channels)
    return sums/F.conv2d(known, weight.expand(1, 1, k, k), padding=k//2)
""", """
def normalised(x, known, weight):  # no padding
    k, channels = weight.shape[-1], x.shape[1]
    sums = F.conv2d(x*known, weight.expand(channels, 1, k, k), groups=channels)
    weights = F.conv2d(known, weight.expand(1, 1, k, k))
    return torch.where(weights > 0, sums/weights.clamp(min=1e-9), 0.)
""", """
def normalised(x, known, weight):  # the kernel is mirrored
    k, channels, weight = weight.shape[-1], x.shape[1], weight.flip(0, 1)
    sums = F.conv2d(x*known, weight.expand(channels, 1, k, k), padding=k//2, groups=channels)
    weights = F.conv2d(known, weight.expand(1, 1, k, k), padding=k//2)
    return torch.where(weights > 0, sums/weights.clamp(min=1e-9), 0.)
"""],
        "right": ["""
def normalised(x, known, weight):
    k, channels = weight.shape[-1], x.shape[1]
    sums = F.conv2d(x*known, weight.expand(channels, 1, k, k), padding=k//2, groups=channels)
    weights = F.conv2d(known, weight.expand(1, 1, k, k), padding=k//2)
    return torch.where(weights > 0, sums/weights.clamp(min=1e-9), 0.)
""", """
def normalised(x, known, weight):
    k, (B, C, H, W) = weight.shape[-1], x.shape
    values, places = (F.unfold(v, k, padding=k//2).view(B, -1, k*k, H*W) for v in (x*known, known))
    sums, weights = ((v*weight.view(1, 1, -1, 1)).sum(2).view(B, -1, H, W) for v in (values, places))
    return (sums/weights.clamp(min=1e-12)).nan_to_num(0.)*(weights > 0)
"""]},
    "masked_convs-2": {
        "wrong": ["""
def plane_error(inpainter, mask):  # grey planes only
    worst = 0.
    for v in (0., .3, .6, 1.):
        plane = torch.full((1, 3, *mask.shape[-2:]), v)
        worst = max(worst, float((inpainter(plane, mask) - plane).abs().masked_select(mask.expand_as(plane)).max()))
    return worst
""", """
def plane_error(inpainter, mask):  # the mean error
    found = []
    for colour in ([0., 0., 0.], [1., 1., 1.], [.9, .2, .1], [.1, .3, .8]):
        plane = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *mask.shape[-2:]).clone()
        found.append(float((inpainter(plane, mask) - plane).abs().masked_select(mask.expand_as(plane)).mean()))
    return max(found)
""", """
def plane_error(inpainter, mask):  # outside the hole as well
    worst = 0.
    for colour in ([0., 0., 0.], [1., 1., 1.], [.9, .2, .1], [.1, .3, .8]):
        plane = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *mask.shape[-2:]).clone()
        worst = max(worst, float((inpainter(plane, mask) - plane).abs().max()))
    return worst
""", """
def plane_error(inpainter, mask):  # against the hidden picture, black in the hole
    worst = 0.
    for colour in ([.2, .2, .2], [1., 1., 1.], [.9, .2, .1], [.1, .3, .8]):
        plane = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *mask.shape[-2:]).masked_fill(mask, 0.)
        worst = max(worst, float((inpainter(plane, mask) - plane).abs().masked_select(mask.expand_as(plane)).max()))
    return worst
""", """
def plane_error(inpainter, mask):  # one colour
    plane = torch.tensor([1., .5, 0.]).view(1, 3, 1, 1).expand(1, 3, *mask.shape[-2:]).clone()
    return float((inpainter(plane, mask) - plane).masked_select(mask.expand_as(plane)).max())
"""],
        "right": ["""
def plane_error(inpainter, mask):
    worst = 0.
    for colour in ([0., 0., 0.], [1., 1., 1.], [.9, .2, .1], [.1, .3, .8], [.5, .5, .5]):
        plane = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *mask.shape[-2:]).clone()
        fill = inpainter(plane.masked_fill(mask, 0.), mask)
        worst = max(worst, float((fill - plane).abs().masked_select(mask.expand_as(plane)).max()))
    return worst
""", """
def plane_error(inpainter, mask):
    colours = torch.tensor([[0., 1., 0.], [1., 0., 1.], [0., 0., 1.], [1., 1., 0.], [.2, .5, .9]])
    planes = colours[:, :, None, None].repeat(1, 1, *mask.shape[-2:])
    fills = torch.cat([inpainter(plane[None], mask) for plane in planes])
    return float(((fills - planes)*mask).abs().max())
"""]},
    "masked_convs-3": {
        "wrong": ["""
def gated_parameters(inputs, outputs, kernel=3, gate=1):  # no biases
    return inputs*outputs*(kernel**2 + gate**2)
""", """
def gated_parameters(inputs, outputs, kernel=3, gate=1):  # one bias for both
    return (inputs*(kernel**2 + gate**2) + 1)*outputs
""", """
def gated_parameters(inputs, outputs, kernel=3, gate=1):  # the gate is as large as the values
    return 2*(inputs*kernel**2 + 1)*outputs
""", """
def gated_parameters(inputs, outputs, kernel=3, gate=1):  # the gate has one output
    return (inputs*kernel**2 + 1)*outputs + inputs*gate**2 + 1
"""],
        "right": ["""
def gated_parameters(inputs, outputs, kernel=3, gate=1):
    return (inputs*kernel**2 + 1)*outputs + (inputs*gate**2 + 1)*outputs
""", """
def gated_parameters(inputs, outputs, kernel=3, gate=1):
    return count(nn.Conv2d(inputs, outputs, kernel)) + count(nn.Conv2d(inputs, outputs, gate))
"""]}}
