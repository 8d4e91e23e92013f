"""Answers to the exercises of 15_encoders: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "encoders-1": {
        "wrong": ["""
def layers_needed(size, kernel, stride):  # without the stride
    return -(-(size - 1)//(kernel - 1))
""", """
def layers_needed(size, kernel, stride):  # the first layer's own stride counts for it already
    field, step, n = 1, stride, 0
    while field < size: field, step, n = field + (kernel - 1)*step, step*stride, n + 1
    return n
""", """
def layers_needed(size, kernel, stride):  # one too many
    field, step, n = 1, 1, 0
    while field <= size: field, step, n = field + (kernel - 1)*step, step*stride, n + 1
    return n
""", """
def layers_needed(size, kernel, stride):  # the stride multiplies once only
    field, n = kernel, 1
    while field < size: field, n = field + (kernel - 1)*stride, n + 1
    return n
"""],
        "right": ["""
def layers_needed(size, kernel, stride):
    field, step, n = 1, 1, 0
    while field < size: field, step, n = field + (kernel - 1)*step, step*stride, n + 1
    return n
""", """
def layers_needed(size, kernel, stride):
    n = 1
    while 1 + (kernel - 1)*sum(stride**i for i in range(n)) < size: n += 1
    return n
"""]},
    "encoders-2": {
        "wrong": ["""
def stack_ratio(side, inputs, outputs):  # the other way round
    n = side//2
    return side**2*inputs*outputs/(9*(inputs*outputs + (n - 1)*outputs**2))
""", """
def stack_ratio(side, inputs, outputs):  # all layers from inputs to outputs
    return 9*(side//2)/side**2
""", """
def stack_ratio(side, inputs, outputs):  # a layer for every three pixels
    n = -(-side//3)
    return 9*(inputs*outputs + (n - 1)*outputs**2)/(side**2*inputs*outputs)
""", """
def stack_ratio(side, inputs, outputs):  # the later layers go from inputs to inputs
    n = side//2
    return 9*(inputs*outputs + (n - 1)*inputs**2)/(side**2*inputs*outputs)
"""],
        "right": ["""
def stack_ratio(side, inputs, outputs):
    n = side//2
    return 9*(inputs*outputs + (n - 1)*outputs**2)/(side**2*inputs*outputs)
""", """
def stack_ratio(side, inputs, outputs):
    layers = [nn.Conv2d(outputs if i else inputs, outputs, 3, bias=False) for i in range((side - 1)//2)]
    return sum(layer.weight.numel() for layer in layers)/nn.Conv2d(inputs, outputs, side).weight.numel()
"""]},
    "encoders-3": {
        "wrong": ["""
def residual(x, change, jump=None):  # nothing is bent
    return change(x) + (x if jump is None else jump(x))
""", """
def residual(x, change, jump=None):  # bent before they meet
    return F.leaky_relu(change(x), .2) + F.leaky_relu(x if jump is None else jump(x), .2)
""", """
def residual(x, change, jump=None):  # only the change is bent
    return F.leaky_relu(change(x), .2) + (x if jump is None else jump(x))
""", """
def residual(x, change, jump=None):  # the jump is not used
    return F.leaky_relu(change(x) + x, .2)
""", """
def residual(x, change, jump=None):  # another slope
    return F.leaky_relu(change(x) + (x if jump is None else jump(x)))
""", """
def residual(x, change, jump=None):  # the jump of the change
    y = change(x)
    return F.leaky_relu(y + (x if jump is None else jump(y)), .2)
"""],
        "right": ["""
def residual(x, change, jump=None):
    return F.leaky_relu(change(x) + (x if jump is None else jump(x)), .2)
""", """
def residual(x, change, jump=None):
    y = change(x) + (jump or nn.Identity())(x)
    return torch.where(y > 0, y, .2*y)
"""]}}
