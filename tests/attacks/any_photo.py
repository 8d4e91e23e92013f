"""Answers that must fail with a hint, and answers that must pass."""
PEEL = ("def peel(inpaint, image, mask, width):\n"
        "    while mask.any():\n"
        "        depth = torch.from_numpy(ndimage.distance_transform_edt(mask[0, 0].numpy()))\n"
        "        ring = mask & (depth {compare})\n"
        "        image = composite(image, inpaint(image, {given}), {kept})\n"
        "        {then}\n"
        "    return image\n")

ATTACKS = {
    "any-photo-1": {
        "wrong": ["def crop_side(height, width, size, hole_px): return max(height, width)*hole_px//size",
                  "def crop_side(height, width, size, hole_px): return math.ceil(min(height, width)*size/hole_px)",
                  "def crop_side(height, width, size, hole_px): return max(height, width)*size//hole_px",
                  "def crop_side(height, width, size, hole_px): return math.ceil((height*width)**.5*size/hole_px)",
                  "def crop_side(height, width, size, hole_px): return 4*max(height, width)"],
        "right": ["def crop_side(height, width, size, hole_px): return math.ceil(max(height, width)*size/hole_px)",
                  "def crop_side(height, width, size, hole_px): return -(-max(height, width)*size//hole_px)"]},
    "any-photo-2": {
        "wrong": ["def halvings(depth, size): return math.ceil(math.log2(4*depth/size))",
                  "def halvings(depth, size): return max(0, math.floor(math.log2(4*depth/size)))",
                  "def halvings(depth, size): return max(0, math.ceil(math.log2(depth/size)))",
                  "def halvings(depth, size): return max(0, math.ceil(4*depth/size) - 1)"],
        "right": ["def halvings(depth, size): return max(0, math.ceil(math.log2(4*depth/size)))",
                  "def halvings(depth, size):\n    return 0 if depth <= size/4 else 1 + halvings(depth/2, size)"]},
    "any-photo-3": {
        "wrong": [PEEL.format(compare="<= width", given="ring", kept="ring", then="mask = mask & ~ring"),
                  PEEL.format(compare="<= width", given="mask", kept="mask", then="mask = mask & ~mask"),
                  PEEL.format(compare="< width", given="mask", kept="ring", then="mask = mask & ~ring"),
                  PEEL.format(compare="<= 1", given="mask", kept="ring", then="mask = mask & ~ring"),
                  "def peel(inpaint, image, mask, width): return inpaint(image, mask)",
                  "def peel(inpaint, image, mask, width):\n"
                  "    depth = torch.from_numpy(ndimage.distance_transform_edt(mask[0, 0].numpy()))\n"
                  "    return composite(image, inpaint(image, mask), mask & (depth <= width))"],
        "right": [PEEL.format(compare="<= width", given="mask", kept="ring", then="mask = mask & ~ring"),
                  "def peel(inpaint, image, mask, width):\n"
                  "    depth = torch.from_numpy(ndimage.distance_transform_edt(mask[0, 0].numpy()))\n"
                  "    if not mask.any(): return image\n"
                  "    deeper = mask & (depth > width)\n"
                  "    filled = inpaint(image, mask)\n"
                  "    return peel(inpaint, torch.where(mask & ~deeper, filled, image), deeper, width)"]}}
