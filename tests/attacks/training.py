"""Answers to the exercises of 14_training: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "training-1": {
        "wrong": ["""
def batch_of(seed, epoch, number, n, batch_size):  # seed and epoch are added
    order = torch.randperm(n, generator=generator(seed + epoch))
    return order[number*batch_size:(number + 1)*batch_size].tolist()
""", """
def batch_of(seed, epoch, number, n, batch_size):  # a state is carried along
    return torch.randperm(n)[:batch_size].tolist()
""", """
def batch_of(seed, epoch, number, n, batch_size):  # the same order in every epoch
    order = torch.randperm(n, generator=generator(derive_seed(seed)))
    return order[number*batch_size:(number + 1)*batch_size].tolist()
""", """
def batch_of(seed, epoch, number, n, batch_size):  # each batch is drawn from all pictures
    return torch.randperm(n, generator=generator(derive_seed(seed, epoch, number)))[:batch_size].tolist()
""", """
def batch_of(seed, epoch, number, n, batch_size):  # the seed is ignored
    order = torch.randperm(n, generator=generator(derive_seed(epoch)))
    return order[number*batch_size:(number + 1)*batch_size].tolist()
"""],
        "right": ["""
def batch_of(seed, epoch, number, n, batch_size):
    order = torch.randperm(n, generator=generator(derive_seed(seed, epoch)))
    return order[number*batch_size:(number + 1)*batch_size].tolist()
""", """
def batch_of(seed, epoch, number, n, batch_size):
    order = np.random.default_rng([seed, epoch]).permutation(n)
    return [int(i) for i in order[number*batch_size:][:batch_size]]
"""]},
    "training-2": {
        "wrong": ["""
def shapes_in(data):  # the text that came along is taken for a tensor
    length = int.from_bytes(data[:8], "little")
    return {name: entry.get("shape") for name, entry in json.loads(data[8:8 + length]).items()}
""", """
def shapes_in(data):  # where the bytes lie, not the shape
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    return {name: entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"}
""", """
def shapes_in(data):  # only the first tensor
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    name = next(name for name in header if name != "__metadata__")
    return {name: header[name]["shape"]}
""", """
def shapes_in(data):  # names alone
    length = int.from_bytes(data[:8], "little")
    return [name for name in json.loads(data[8:8 + length]) if name != "__metadata__"]
"""],
        "right": ["""
def shapes_in(data):
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    return {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
""", """
def shapes_in(data):
    import struct
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:length + 8].decode())
    header.pop("__metadata__", None)
    return {name: list(entry["shape"]) for name, entry in header.items()}
"""]},
    "training-3": {
        "wrong": ["""
def differences(there, here):  # settings that only the new one has are missed
    return [(key, there[key], here.get(key)) for key in sorted(there) if there[key] != here.get(key)]
""", """
def differences(there, here):  # settings that only the old one has are missed
    return [(key, there.get(key), here[key]) for key in sorted(here) if there.get(key) != here[key]]
""", """
def differences(there, here):  # in the order of the first
    return [(key, there.get(key), here.get(key)) for key in there | here if there.get(key) != here.get(key)]
""", """
def differences(there, here):  # names alone
    return [key for key in sorted(there | here) if there.get(key) != here.get(key)]
""", """
def differences(there, here):  # here and there are swapped
    return [(key, here.get(key), there.get(key)) for key in sorted(there | here) if there.get(key) != here.get(key)]
"""],
        "right": ["""
def differences(there, here):
    return [(key, there.get(key), here.get(key)) for key in sorted(there | here) if there.get(key) != here.get(key)]
""", """
def differences(there, here):
    found = []
    for key in sorted({*there, *here}):
        a, b = there.get(key), here.get(key)
        if a != b: found.append((key, a, b))
    return found
"""]}}
