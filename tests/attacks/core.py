"""Answers that must fail with a hint, and answers that must pass."""
MEGABYTES = "def megabytes(p): return ({bank} + {batch})/1e6"

ATTACKS = {
    "core-1": {
        "wrong": ["def order(n, seed): return torch.randperm(n)",
                  "def order(n, seed):\n    torch.manual_seed(seed)\n    return torch.randperm(n)",
                  "def order(n, seed): return torch.arange(n)",
                  "def order(n, seed): return torch.randint(n, (n,), generator=generator(seed))",
                  "def order(n, seed): return torch.randperm(n, generator=generator(0))",
                  "def order(n, seed): return np.random.default_rng(seed).permutation(n)"],
        "right": ["def order(n, seed): return torch.randperm(n, generator=generator(seed))",
                  "def order(n, seed): return torch.from_numpy(np.random.default_rng(seed).permutation(n))",
                  "def order(n, seed): return torch.rand(n, generator=generator(seed)).argsort()"]},
    "core-2": {
        "wrong": ["def save_lines(path, lines):\n    with open(path, 'w') as file:\n"
                  "        for line in lines: file.write(line + '\\n')",
                  "def save_lines(path, lines):\n"
                  "    with write_aside(path) as temporary, open(temporary, 'w') as file:\n"
                  "        for line in lines: file.write(line)",
                  "def save_lines(path, lines):\n    try: text = '\\n'.join(lines)\n    except RuntimeError: return\n"
                  "    Path(path).write_text(text)",
                  "def save_lines(path, lines):\n    with open(str(path) + '.new', 'w') as file:\n"
                  "        for line in lines: file.write(line + '\\n')\n    os.replace(str(path) + '.new', path)",
                  "def save_lines(path, lines): list(lines)"],
        "right": ["def save_lines(path, lines):\n"
                  "    with write_aside(path) as temporary, open(temporary, 'w') as file:\n"
                  "        for line in lines: file.write(line + '\\n')",
                  "def save_lines(path, lines):\n    text = '\\n'.join(lines)\n"
                  "    with write_aside(path) as temporary: temporary.write_text(text)"]},
    "core-3": {
        "wrong": [MEGABYTES.format(bank="p.train*p.size**2", batch="4*p.batch_size*p.size**2"),
                  MEGABYTES.format(bank="3*p.train*p.size**2", batch="0"),
                  MEGABYTES.format(bank="3*p.train*p.size**2", batch="3*p.batch_size*p.size**2"),
                  MEGABYTES.format(bank="12*p.train*p.size**2", batch="12*p.batch_size*p.size**2"),
                  "def megabytes(p): return 3*p.train*p.size**2 + 12*p.batch_size*p.size**2"],
        "right": [MEGABYTES.format(bank="3*p.train*p.size**2", batch="12*p.batch_size*p.size**2"),
                  "def megabytes(p): return p.size*p.size*3*(p.train + 4*p.batch_size)*1e-6"]}}
