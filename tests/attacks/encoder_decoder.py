"""Answers to the exercises of 11_encoder_decoder: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "autoencoder-1": {
        "wrong": ["""
def dilated_field(layers):  # the dilation is left out
    r, jump = 1, 1
    for kernel, stride, dilation in layers: r, jump = r + (kernel - 1)*jump, jump*stride
    return r
""", """
def dilated_field(layers):  # the dilation widens all later steps, as a stride does
    r, jump = 1, 1
    for kernel, stride, dilation in layers:
        jump *= dilation
        r, jump = r + (kernel - 1)*jump, jump*stride
    return r
""", """
def dilated_field(layers):  # kernel·dilation pixels instead of the steps between the taps
    r, jump = 1, 1
    for kernel, stride, dilation in layers: r, jump = r + (kernel*dilation - 1)*jump, jump*stride
    return r
""", """
def dilated_field(layers):  # a layer's own stride already counts for it
    r, jump = 1, 1
    for kernel, stride, dilation in layers:
        jump *= stride
        r += (kernel - 1)*dilation*jump
    return r
"""],
        "right": ["""
def dilated_field(layers):
    r, jump = 1, 1
    for kernel, stride, dilation in layers: r, jump = r + (kernel - 1)*dilation*jump, jump*stride
    return r
""", """
def dilated_field(layers):
    r = 1
    for kernel, stride, dilation in reversed(layers): r = (r - 1)*stride + dilation*(kernel - 1) + 1
    return r
"""]},
    "autoencoder-2": {
        "wrong": ["""
def conditional_mean(context, contexts, windows, h):  # the weights do not add up to 1
    return torch.exp(-(contexts - context).square().sum(1)/(2*h**2)) @ windows
""", """
def conditional_mean(context, contexts, windows, h):  # every weight is 0 far from all examples
    weights = torch.exp(-(contexts - context).square().sum(1)/(2*h**2))
    return weights @ windows/weights.sum()
""", """
def conditional_mean(context, contexts, windows, h):  # distances, not their squares
    return torch.softmax(-(contexts - context).norm(dim=1)/(2*h**2), 0) @ windows
""", """
def conditional_mean(context, contexts, windows, h):  # h is not squared
    return torch.softmax(-(contexts - context).square().sum(1)/(2*h), 0) @ windows
""", """
def conditional_mean(context, contexts, windows, h):  # the nearest one alone
    return windows[(contexts - context).square().sum(1).argmin()]
"""],
        "right": ["""
def conditional_mean(context, contexts, windows, h):
    return torch.softmax(-(contexts - context).square().sum(1)/(2*h**2), 0) @ windows
""", """
def conditional_mean(context, contexts, windows, h):
    exponents = -(torch.cdist(context[None], contexts)[0].double()/h)**2/2
    weights = (exponents - exponents.max()).exp().float()
    return (weights[:, None]*windows).sum(0)/weights.sum()
"""]},
    "autoencoder-3": {
        "wrong": ["""
def as_convolution(layer):  # input and output places are swapped
    m, places, _ = layer.weight.shape
    n = int(places**.5)
    convolution = nn.Conv2d(m, m*places, n, groups=m)
    convolution.weight.data = layer.weight.data.reshape(m*places, 1, n, n)
    convolution.bias.data = layer.bias.data.flatten()
    return convolution
""", """
def as_convolution(layer):  # no bias
    m, places, _ = layer.weight.shape
    n = int(places**.5)
    convolution = nn.Conv2d(m, m*places, n, groups=m, bias=False)
    convolution.weight.data = layer.weight.data.transpose(1, 2).reshape(m*places, 1, n, n)
    return convolution
""", """
def as_convolution(layer):  # the maps are not kept apart
    m, places, _ = layer.weight.shape
    n = int(places**.5)
    return nn.Conv2d(m, m*places, n)
""", """
def as_convolution(layer):  # a kernel of one pixel
    m, places, _ = layer.weight.shape
    return nn.Conv2d(m, m*places, 1, groups=m)
"""],
        "right": ["""
def as_convolution(layer):
    m, places, _ = layer.weight.shape
    n = int(places**.5)
    convolution = nn.Conv2d(m, m*places, n, groups=m)
    convolution.weight.data = layer.weight.data.transpose(1, 2).reshape(m*places, 1, n, n)
    convolution.bias.data = layer.bias.data.flatten()
    return convolution
""", """
def as_convolution(layer):
    m, places, _ = layer.weight.shape
    n = round(places**.5)
    convolution = nn.Conv2d(m, m*places, (n, n), groups=m)
    with torch.no_grad():
        for c in range(m):
            for j in range(places):
                convolution.weight[c*places + j, 0] = layer.weight[c, :, j].view(n, n)
                convolution.bias[c*places + j] = layer.bias[c, j]
    return convolution
"""]}}
