"""Answers that must fail with a hint, and answers that must pass."""
MIXTURE = """def mixture(targets, wishes, weight, terms):
    aim, scale = targets.clone(), torch.ones(targets.shape[1])
    aim[:, :terms] = (targets[:, :terms] + weight*wishes[:, :terms])/(1 + weight)
    scale[:terms] = 1 + weight
    return aim, scale
"""
INVERTED = """def inverted(guide):
    def inpaint(image, mask, *, generator=None):
        return composite(image, 1 - guide(image, mask, generator=generator), mask)
    return inpaint
"""
HALFWAY = """def halfway(first, second):
    def inpaint(image, mask, *, generator=None):
        a, b = (f(image, mask, generator=generator and generator.clone_state()) for f in (first, second))
        return composite(image, (a + b)/2, mask)
    return inpaint
"""
ATTACKS = {
    "guided-1": {
        "wrong": [MIXTURE.replace("targets.clone()", "targets"),
                  MIXTURE.replace("/(1 + weight)", "/2").replace("weight*wishes", "wishes"),
                  MIXTURE.replace("/(1 + weight)", ""),
                  MIXTURE.replace("    scale[:terms] = 1 + weight\n", ""),
                  MIXTURE.replace("scale[:terms] =", "scale[:] ="),
                  MIXTURE.replace("scale[:terms] = 1 + weight", "scale[:terms] = weight"),
                  MIXTURE.replace("[:, :terms]", "[:]"),
                  MIXTURE.replace("return aim, scale", "return aim")],
        "right": [MIXTURE,
                  "def mixture(targets, wishes, weight, terms):\n"
                  "    scale = 1 + weight*(torch.arange(targets.shape[1]) < terms)\n"
                  "    return (targets + (scale - 1)*wishes)/scale, scale"]},
    "guided-2": {
        "wrong": ["def inverted(guide): return guide",
                  INVERTED.replace("composite(image, 1 - guide(image, mask, generator=generator), mask)",
                                   "1 - guide(image, mask, generator=generator)"),
                  INVERTED.replace("1 - guide(image, mask, generator=generator)", "1 - image"),
                  INVERTED.replace("guide(image, mask, generator=generator)", "harmonic(image, mask)"),
                  INVERTED.replace("generator=generator", "generator=None"),
                  INVERTED.replace("guide(image, mask", "guide(1 - image, mask"),
                  "def inverted(guide): return lambda image, mask, *, generator=None: guide(1 - image, mask)"],
        "right": [INVERTED,
                  "def inverted(guide):\n"
                  "    return lambda image, mask, *, generator=None: torch.where(\n"
                  "        mask, 1 - guide(image, mask, generator=generator), image)"]},
    "guided-3": {
        "wrong": [HALFWAY.replace("(a + b)/2", "a + b"),
                  HALFWAY.replace("generator and generator.clone_state()", "generator"),
                  HALFWAY.replace("generator=generator and generator.clone_state()", "generator=None"),
                  HALFWAY.replace("(a + b)/2", "a"),
                  "def halfway(first, second):\n"
                  "    return lambda image, mask, *, generator=None: (first(image, mask) + second(image, mask))/2"],
        "right": [HALFWAY,
                  HALFWAY.replace("composite(image, (a + b)/2, mask)", "(a + b)/2"),  # the mean of x and x is x
                  "def halfway(first, second):\n"
                  "    def inpaint(image, mask, *, generator=None):\n"
                  "        total = 0\n"
                  "        for one in (first, second):\n"
                  "            copy = None\n"
                  "            if generator is not None:\n"
                  "                copy = torch.Generator(generator.device)\n"
                  "                copy.set_state(generator.get_state())\n"
                  "            total = total + one(image, mask, generator=copy)\n"
                  "        return torch.where(mask, total*.5, image)\n"
                  "    return inpaint"]}}
