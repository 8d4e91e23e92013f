"""Answers that must fail with a hint, and answers that must pass."""
ATTACKS = {
    "metrics-1": {
        "wrong": ["def dataset_mean(means, sizes): return sum(means)/len(means)",
                  "def dataset_mean(means, sizes): return sum(m*s for m, s in zip(means, sizes))/(32*len(sizes))",
                  "def dataset_mean(means, sizes): return sum(m*s for m, s in zip(means, sizes))",
                  "def dataset_mean(means, sizes): return sum(m*s for m, s in zip(means, sizes))/80",
                  "def dataset_mean(means, sizes):\n"
                  "    return sum(m*s for m, s in zip(means, sizes))/(max(sizes)*(len(sizes) - 1) + sizes[-1])"],
        "right": ["def dataset_mean(means, sizes): return sum(m*s for m, s in zip(means, sizes))/sum(sizes)",
                  "def dataset_mean(means, sizes):\n"
                  "    weights = torch.tensor(sizes, dtype=torch.float64)\n"
                  "    return (torch.tensor(means, dtype=torch.float64)*weights/weights.sum()).sum()"]},
    "metrics-2": {
        "wrong": ["def best_for_l1(values): return values.mean()",
                  "def best_for_l1(values): return (values.min() + values.max())/2",
                  "def best_for_l1(values): return values[0]",
                  "def best_for_l1(values): return values.max()",
                  "def best_for_l1(values): return values[len(values)//2]"],
        "right": ["def best_for_l1(values): return values.median()",
                  "def best_for_l1(values): return sorted(values.tolist())[len(values)//2]",
                  "def best_for_l1(values): return values.quantile(.5)"]},
    "metrics-3": {
        "wrong": ["import math\ndef pictures_needed(a, b, d):\n"
                  "    return math.ceil((1.96/d)**2*float(a.var() + b.var()))",
                  "import math\ndef pictures_needed(a, b, d): return math.ceil(1.96*float((a - b).std())/d)",
                  "def pictures_needed(a, b, d): return (1.96*float((a - b).std())/d)**2",
                  "def pictures_needed(a, b, d): return int((1.96*float((a - b).std())/d)**2)",
                  "import math\ndef pictures_needed(a, b, d):\n"
                  "    return math.ceil((1.96*float((a - b).std(correction=0))/d)**2)"],
        "right": ["import math\ndef pictures_needed(a, b, d): return math.ceil((1.96*float((a - b).std())/d)**2)",
                  "def pictures_needed(a, b, d):\n"
                  "    n, s = 1, (a - b).std().item()\n"
                  "    while 1.96*s/n**.5 > d: n += 1\n"
                  "    return n"]}}
