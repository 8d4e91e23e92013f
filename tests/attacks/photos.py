"""Answers that must fail with a hint, and answers that must pass."""
BLACK = ("def read_black_mask(path):\n"
         "    mask = np.asarray(decode(Path(path), background={background!r}).convert('L')) {compare}\n"
         "    {refuse}\n"
         "    return torch.from_numpy(mask)[None, None]")
REFUSE = "if mask.all() or not mask.any(): raise InputError(f'{path} hides everything or nothing')"

ATTACKS = {
    "photos-1": {
        "wrong": ["def to_eight(values): return np.minimum(values, 255).astype(np.uint8)",
                  "def to_eight(values): return (values >> 8).astype(np.uint8)",
                  "def to_eight(values): return (values/257).astype(np.uint8)",
                  "def to_eight(values): return np.round(values/256).clip(0, 255).astype(np.uint8)",
                  "def to_eight(values): return np.round(values/257)",
                  "def to_eight(values): return values.astype(np.uint8)"],
        "right": ["def to_eight(values): return np.round(values/257).astype(np.uint8)",
                  "def to_eight(values): return ((values.astype(np.int64) + 128)//257).astype(np.uint8)"]},
    "photos-2": {
        "wrong": ["def upright(pixels, tag): return pixels",
                  "def upright(pixels, tag): return np.rot90(pixels, {1: 0, 3: 2, 6: 1, 8: -1}[tag])",
                  "def upright(pixels, tag):\n"
                  "    if tag == 3: return pixels[::-1]\n"
                  "    return pixels if tag == 1 else pixels.transpose(1, 0, 2)",
                  "def upright(pixels, tag):\n"
                  "    if tag == 3: return pixels[::-1, ::-1]\n"
                  "    return pixels if tag == 1 else np.rot90(pixels)"],
        "right": ["def upright(pixels, tag): return np.rot90(pixels, {1: 0, 3: 2, 6: -1, 8: 1}[tag])",
                  "def upright(pixels, tag):\n"
                  "    across = pixels.transpose(1, 0, 2)\n"
                  "    return {1: pixels, 3: pixels[::-1, ::-1], 6: across[:, ::-1], 8: across[::-1]}[tag]"]},
    "photos-3": {
        "wrong": ["def read_black_mask(path): return read_mask(path)",
                  "def read_black_mask(path): return ~read_mask(path)",
                  BLACK.format(background="white", compare="< 128", refuse="pass"),
                  BLACK.format(background="white", compare="<= 128", refuse=REFUSE),
                  BLACK.format(background="white", compare="== 0", refuse=REFUSE),
                  BLACK.format(background="black", compare="< 128", refuse=REFUSE)],
        "right": [BLACK.format(background="white", compare="< 128", refuse=REFUSE),
                  "def read_black_mask(path):\n"
                  "    grey = read_image(path).float().mean(0)[None, None]\n"
                  "    if (grey < 128).float().mean() in (0, 1): raise InputError('white is known, black is hidden')\n"
                  "    return grey < 128"]}}
