"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "autopsy-1": {
        "wrong": ["def weights(n, batch=32): return (n + 1)/(2*batch), (n - 1)/(2*batch)",
                  "def weights(n, batch=32): return 33/64, 31/64",
                  """
def weights(n, batch=32):  # 32 is written
    sizes = [32]*(n//32) + [n % 32]
    return tuple(sum(m*(m + sign)/2 for m in sizes)/(32*n) for sign in (1, -1))
""", """
def weights(n, batch=32):  # batches count alike
    sizes = [m for m in [batch]*(n//batch) + [n % batch] if m]
    return tuple(sum((m + sign)/2/batch for m in sizes)/len(sizes) for sign in (1, -1))
""", """
def weights(n, batch=32):  # the last batch is divided by its own size
    sizes = [m for m in [batch]*(n//batch) + [n % batch] if m]
    return tuple(sum((m + sign)/2 for m in sizes)/n for sign in (1, -1))
"""],
        "right": ["""
def weights(n, batch=32):
    full, rest = divmod(n, batch)
    squares = full*batch**2 + rest**2
    return (squares + n)/(2*batch*n), (squares - n)/(2*batch*n)
""", """
def weights(n, batch=32):
    place = [i % batch for i in range(n)]
    size = [min(batch, n - i + j) for i, j in enumerate(place)]
    return sum(m - j for m, j in zip(size, place))/(batch*n), sum(place)/(batch*n)
"""]},
    "autopsy-2": {
        "wrong": ["def rank(f, n): return int(torch.linalg.matrix_rank(f(torch.eye(n))))",
                  "def rank(f, n): return n",
                  """
def rank(f, n):  # rounding errors count
    return int((torch.linalg.svdvals(f(torch.eye(n)) - f(torch.zeros(1, n))) > 0).sum())
""", """
def rank(f, n):  # in the output's unit
    return int((torch.linalg.svdvals(f(torch.eye(n)) - f(torch.zeros(1, n))) > 1e-3).sum())
"""],
        "right": ["""
def rank(f, n):
    return int(torch.linalg.matrix_rank(f(torch.eye(n)) - f(torch.zeros(1, n)), rtol=1e-4))
""", """
def rank(f, n):
    points = torch.randn(4*n, n)
    values = f(points).double()
    s = torch.linalg.svdvals(values - values.mean(0))
    return int((s > 1e-4*s[0]).sum()) if s[0] > 1e-9 else 0
"""]},
    "autopsy-3": {
        "wrong": ["def minds_company(inpaint, image, mask): return False",
                  """
def minds_company(inpaint, image, mask):  # order only
    backwards = inpaint(image.flip(0), mask.flip(0)).flip(0)
    return not torch.allclose(inpaint(image, mask), backwards, atol=1e-4)
""", """
def minds_company(inpaint, image, mask):  # the first picture alone only
    return not torch.allclose(inpaint(image, mask)[:1], inpaint(image[:1], mask[:1]), atol=1e-4)
""", """
def minds_company(inpaint, image, mask):  # bit for bit
    alone = torch.cat([inpaint(image[i:i + 1], mask[i:i + 1]) for i in range(len(image))])
    return not torch.equal(inpaint(image, mask), alone + 1e-7)
"""],
        "right": ["""
def minds_company(inpaint, image, mask):
    together = inpaint(image, mask)
    alone = [inpaint(image[i:i + 1], mask[i:i + 1])[0] for i in range(len(image))]
    return any(float((a - b).abs().max()) > 1e-4 for a, b in zip(together, alone))
""", """
def minds_company(inpaint, image, mask):
    n, together = len(image), inpaint(image, mask)
    for order in ([*range(1, n), 0], list(range(n - 1, -1, -1)), [n - 1], [0]):
        if not torch.allclose(inpaint(image[order], mask[order]), together[order], atol=1e-3): return True
    return False
"""]}}
