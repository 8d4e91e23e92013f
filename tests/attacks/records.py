"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "records-1": {
        "wrong": ["def comparable(a, b): return a == b",
                  "def comparable(a, b): return a['digest'] == b['digest']",
                  "def comparable(a, b):\n"
                  "    return all(a[key] == b[key] for key in ('data', 'mask', 'size', 'hole', 'seed', 'n'))",
                  "def comparable(a, b): return caption(a) == caption(b)",
                  "def comparable(a, b): return {k: v for k, v in a.items() if k != 'rows'} == "
                  "{k: v for k, v in b.items() if k != 'rows'}"],
        "right": ["def comparable(a, b):\n"
                  "    return all(a[key] == b[key] for key in ('digest', 'mask', 'size', 'hole', 'seed', 'n'))",
                  "def comparable(a, b):\n"
                  "    def what(r): return r['digest'], r['mask'], r['size'], r['hole'], r['seed'], r['n']\n"
                  "    return what(a) == what(b)"]},
    "records-2": {
        "wrong": ["def merged(a, b):\n    a['rows'] += b['rows']\n    return a",
                  "def merged(a, b): return a | {'rows': a['rows'] + b['rows']}",
                  "def merged(a, b): return b | {'rows': a['rows'] + [r for r in b['rows'] if r['method'] not in "
                  "[q['method'] for q in a['rows']]]}",
                  "def merged(a, b):\n"
                  "    return a | {'rows': list({r['method']: r for r in a['rows'] + b['rows']}.values())}",
                  "def merged(a, b): return a | b"],
        "right": ["def merged(a, b):\n    known = {row['method'] for row in a['rows']}\n"
                  "    return a | {'rows': a['rows'] + [row for row in b['rows'] if row['method'] not in known]}",
                  "def merged(a, b):\n"
                  "    return a | {'rows': list({r['method']: r for r in b['rows'] + a['rows']}.values())}"]},
    "records-3": {
        "wrong": ["def read_csv(text): return list(csv.DictReader(io.StringIO(text)))",
                  "def read_csv(text):\n"
                  "    head, *lines = (line.split(',') for line in text.split('\\r\\n') if line)\n"
                  "    def value(f):\n"
                  "        return float(f) if f.replace('.', '').replace('-', '').replace('e', '').isdigit() else f\n"
                  "    return [{k: value(f) for k, f in zip(head, line) if f} for line in lines]",
                  "def read_csv(text):\n"
                  "    def value(f):\n        try: return float(f or 0)\n        except ValueError: return f\n"
                  "    return [{k: value(f) for k, f in row.items()} for row in csv.DictReader(io.StringIO(text))]",
                  "def read_csv(text):\n"
                  "    def value(f):\n        try: return round(float(f), 4)\n        except ValueError: return f\n"
                  "    rows = csv.DictReader(io.StringIO(text))\n"
                  "    return [{k: value(f) for k, f in row.items() if f} for row in rows]"],
        "right": ["def read_csv(text):\n"
                  "    def value(f):\n        try: return float(f)\n        except ValueError: return f\n"
                  "    rows = csv.DictReader(io.StringIO(text))\n"
                  "    return [{k: value(f) for k, f in row.items() if f} for row in rows]",
                  "def read_csv(text):\n"
                  "    head, *lines = csv.reader(io.StringIO(text))\n"
                  "    rows = []\n"
                  "    for line in lines:\n"
                  "        row = {}\n"
                  "        for key, field in zip(head, line):\n"
                  "            if field:\n"
                  "                try: row[key] = float(field)\n"
                  "                except ValueError: row[key] = field\n"
                  "        rows.append(row)\n"
                  "    return rows"]}}
