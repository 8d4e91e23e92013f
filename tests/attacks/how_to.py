"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "lesson-1": {
        "wrong": ["def side(share): return share**2",
                  "def side(share): return -share**.5",
                  "def side(share): return share/2",
                  "def side(share): return 100*share**.5",
                  "def side(share): share**.5"],
        "right": ["def side(share): return share**.5",
                  "import math\ndef side(share): return math.sqrt(share)",
                  "import numpy\ndef side(share): return float(numpy.exp(.5*numpy.log(share)))"]},
    "lesson-2": {
        "wrong": ["def missing(p): return p.hole_px**2",
                  "def missing(p): return 3*p.size**2",
                  "def missing(p): return 3*p.hole_px",
                  "def missing(p): return 3*(p.size**2 - p.hole_px**2)",
                  "def missing(p): return 3*16*16"],
        "right": ["def missing(p): return 3*p.hole_px**2",
                  "def missing(p): return sum(1 for colour in range(3) for pixel in range(p.hole_px*p.hole_px))",
                  "def missing(p): return 3*(p.size//4)**2"]},
    "lesson-3": {
        "wrong": ["def check_share(f): assert f(.5) == .25, f'{f(.5)} is wrong'",
                  "def check_share(f):\n    for s in (.1, .7): assert f(s) == s**2, f'{f(s)} is wrong'",
                  "def check_share(f):\n    for s in (.1, .7): assert abs(f(s) - s**2) < 1e-9, 'wrong'",
                  "def check_share(f):\n    for s in (.1, .7): assert abs(f(s) - s**2) < 1e-9",
                  "def check_share(f):\n    for s in (.3, .7): assert abs(f(s) - s**2) < 1e-9, f'{f(s)} is not {s**2}'",
                  "def check_share(f):\n    for s in (0, 1): assert f(s) == s, f'{f(s)} is wrong'",
                  "def check_share(f): pass"],
        "right": ["def check_share(f):\n"
                  "    for s in (.3, .7): assert abs(f(s) - s**2) < 1e-9, f'you return {f(s)} for {s}'",
                  "def check_share(f):\n"
                  "    wrong = [s/10 for s in range(11) if abs(f(s/10) - s*s/100) > 1e-6]\n"
                  "    assert not wrong, f'f({wrong[0]}) is {f(wrong[0])}, and no such share is missing'"]}}
