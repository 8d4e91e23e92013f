"""Answers that must fail with a hint, and answers that must pass."""
SEGMENT = ("def capsule(x, y, ax, ay, bx, by, r):\n"
           "    dx, dy = bx - ax, by - ay\n"
           "    s = (((x - ax)*dx + (y - ay)*dy)/(dx*dx + dy*dy)){clip}\n"
           "    return {sign}np.hypot(x - ax - s*dx, y - ay - s*dy){r}\n")
CONFETTI = ("def confetti(n, seed=0, start=0):\n"
            "    dots = [np.random.default_rng({key}).random(2) for i in range(start, start + n)]\n"
            "    return np.array(dots).reshape(n, 2)")
SCENE = ("def mine(c):\n"
         "    top, low, glow, land = sky(c, .5, (.5, .3))\n"
         "    {code}\n")

ATTACKS = {
    "scenes-1": {
        "wrong": [SEGMENT.format(clip="", sign="", r=" - r"), SEGMENT.format(clip=".clip(0, 1)", sign="", r=""),
                  SEGMENT.format(clip=".clip(0, 1)", sign="-", r=" + r"),
                  SEGMENT.format(clip=".clip(0, 1)", sign="", r=" - 2*r"),
                  "def capsule(x, y, ax, ay, bx, by, r):\n    return np.hypot(x - ax, y - ay) - r"],
        "right": [SEGMENT.format(clip=".clip(0, 1)", sign="", r=" - r"),
                  "def capsule(x, y, ax, ay, bx, by, r):\n"
                  "    along = np.array([bx - ax, by - ay])\n"
                  "    from_a = np.stack([x - ax, y - ay], -1)\n"
                  "    s = np.minimum(1, np.maximum(0, from_a @ along/(along @ along)))\n"
                  "    return np.linalg.norm(from_a - s[..., None]*along, axis=-1) - r"]},
    "scenes-2": {
        "wrong": ["def confetti(n, seed=0, start=0): return np.random.default_rng(seed).random((n, 2))",
                  CONFETTI.format(key="seed + i"), CONFETTI.format(key="1000*seed + i"),
                  CONFETTI.format(key="seed + 1000*i"), CONFETTI.format(key="seed"), CONFETTI.format(key="i"),
                  "def confetti(n, seed=0, start=0):\n"
                  "    return np.random.default_rng([seed, start]).random((n, 2))"],
        "right": [CONFETTI.format(key="[seed, i]"), CONFETTI.format(key="np.random.SeedSequence([i, seed])"),
                  "def confetti(n, seed=0, start=0):\n"
                  "    return np.random.default_rng([seed, 1]).random((start + n, 2))[start:]"]},
    "scenes-3": {
        "wrong": ["def mine(c): sky(c, .5, (.5, .3)) if c is None else None",
                  SCENE.format(code="c.fill(coverage(.5 - c.y, c.pixel), land*np.float32(np.random.random()))"),
                  SCENE.format(code="box(c, 0, .5, 8*c.pixel, 1, rgb(1, 0, 0)); c.image[:, :32] = 0"),
                  "def mine(c):\n    c.image[:] = .5\n    box(c, .2, .2, .6, .6, rgb(1, 0, 0))",
                  SCENE.format(code="for i in range(c.side): c.between(0, 1)\n"
                                    "    box(c, 0, c.between(0, .9), 1, 1, 0*land)")],
        "right": [SCENE.format(code="box(c, .1, c.between(.5, .7), .4, .9, land*rgb(.7, .2, .2))"),
                  "def mine(c):\n"
                  "    c.image[:] = rgb(*c.rng.random(3))\n"
                  "    for _ in range(9): disc(c, c.rng.random(), c.rng.random(), .1, rgb(*c.rng.random(3)))"]}}
