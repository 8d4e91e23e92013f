"""Answers that must fail with a hint, and answers that must pass."""
SEARCH = ("def best_quality(size_at, limit):\n"
          "    low, high = 1, 95\n"
          "    while low < high:\n"
          "        middle = {middle}\n"
          "        if size_at(middle) {compare} limit: low = middle{step}\n"
          "        else: high = middle - 1\n"
          "    return low")
OUTLINE = ("def outlined(image, mask):\n"
           "    known = torch.nn.functional.pad((~mask).float(), (1, 1, 1, 1){value})\n"
           "    beside = known[..., 1:-1, :-2] + known[..., 1:-1, 2:] + known[..., :-2, 1:-1] + known[..., 2:, 1:-1]\n"
           "    return show_hole(image, {painted})")

ATTACKS = {
    "figures-1": {
        "wrong": ["def best_quality(size_at, limit): return max(q for q in range(1, 96) if size_at(q) <= limit)",
                  "def best_quality(size_at, limit): return next(q for q in (90, 80, 70, 55, 40, 25, 1)"
                  " if size_at(q) <= limit)",
                  SEARCH.format(middle="(low + high + 1)//2", compare="<", step=""),
                  SEARCH.format(middle="(low + high + 1)//2", compare="<=", step=" + 1"),
                  SEARCH.format(middle="(low + high + 1)//2", compare=">", step="")],
        "right": [SEARCH.format(middle="(low + high + 1)//2", compare="<=", step=""),
                  "import bisect\n"
                  "def best_quality(size_at, limit): return bisect.bisect_right(range(1, 96), limit, key=size_at)"]},
    "figures-2": {
        "wrong": ["def outlined(image, mask): return show_hole(image, mask)",
                  OUTLINE.format(value="", painted="(beside > 0)"),
                  OUTLINE.format(value=", value=1.", painted="mask & (beside > 0)"),
                  OUTLINE.format(value="", painted="~mask & (beside < 4)"),
                  "def outlined(image, mask):\n"
                  "    near = torch.nn.functional.max_pool2d((~mask).float(), 3, 1, 1) > 0\n"
                  "    return show_hole(image, mask & near)",
                  "def outlined(image, mask):\n"
                  "    image[...] = show_hole(image, mask)\n"
                  "    return image"],
        "right": [OUTLINE.format(value="", painted="mask & (beside > 0)"),
                  "def outlined(image, mask):\n"
                  "    across = torch.nn.functional.max_pool2d((~mask).float(), (1, 3), 1, (0, 1)) > 0\n"
                  "    down = torch.nn.functional.max_pool2d((~mask).float(), (3, 1), 1, (1, 0)) > 0\n"
                  "    return show_hole(image, mask & (across | down))"]},
    "figures-3": {
        "wrong": ["def left(begun, now, step, total): return (now - begun)*total/step if step else None",
                  "def left(begun, now, step, total): return now - begun if step else None",
                  "def left(begun, now, step, total): return (now - begun)/step*(total - step)",
                  "def left(begun, now, step, total): return (now - begun)*(total - step) if step else None",
                  "def left(begun, now, step, total): return (now - begun)*(total - step)/step if step else 0"],
        "right": ["def left(begun, now, step, total): return (now - begun)*(total - step)/step if step else None",
                  "def left(begun, now, step, total):\n"
                  "    if step < 1: return None\n"
                  "    return (now - begun)*(total/step - 1) if total > step else 0"]}}
