"""Answers to the exercises of 13_trainer: wrong ones that must fail with a hint, right ones that must pass."""
ATTACKS = {
    "trainer-1": {
        "wrong": ["""
def trapezoid(done, warm=.1, cool=.3):  # it never falls
    return min(1, done/warm)
""", """
def trapezoid(done, warm=.1, cool=.3):  # it falls as fast as it rises
    return min(1, done/warm, (1 - done)/warm)
""", """
def trapezoid(done, warm=.1, cool=.3):  # a cosine
    import math
    if done < warm: return (1 - math.cos(math.pi*done/warm))/2
    if done > 1 - cool: return (1 + math.cos(math.pi*(done - 1 + cool)/cool))/2
    return 1
""", """
def trapezoid(done, warm=.1, cool=.3):  # the numbers of the example
    return min(1, done/.1, (1 - done)/.3)
""", """
def trapezoid(done, warm=.1, cool=.3):  # one-cycle's start
    return min(1, .04 + .96*done/warm, (1 - done)/cool)
"""],
        "right": ["""
def trapezoid(done, warm=.1, cool=.3):
    return min(1, done/warm, (1 - done)/cool)
""", """
def trapezoid(done, warm=.1, cool=.3):
    if done < warm: return done/warm
    if done > 1 - cool: return (1 - done)/cool
    return 1.
"""]},
    "trainer-2": {
        "wrong": ["""
def batch_loss(losses, sizes):  # the mean of means
    return sum(losses)/len(losses)
""", """
def batch_loss(losses, sizes):  # a sum
    return sum(loss*size for loss, size in zip(losses, sizes))
""", """
def batch_loss(losses, sizes):  # large parts count less
    shares = [1/size for size in sizes]
    return sum(loss*share for loss, share in zip(losses, shares))/sum(shares)
""", """
def batch_loss(losses, sizes):  # two parts only
    share = sizes[0]/(sizes[0] + sizes[1])
    return share*losses[0] + (1 - share)*losses[1]
"""],
        "right": ["""
def batch_loss(losses, sizes):
    return sum(loss*size for loss, size in zip(losses, sizes))/sum(sizes)
""", """
def batch_loss(losses, sizes):
    return float(np.average(losses, weights=sizes))
"""]},
    "trainer-3": {
        "wrong": ["""
class Absolute(Reconstruction):
    def loss(self, step, batch):  # the squared error
        output = self.networks["network"](hide(batch.image, batch.mask))
        return squared_error(output, batch.image, batch.mask).mean(), {}
""", """
class Absolute(Reconstruction):
    def loss(self, step, batch):  # [-1, 1] against [0, 1]
        output = self.networks["network"](hide(batch.image, batch.mask))
        return (output - batch.image[..., 12:20, 12:20]).abs().mean(), {}
""", """
class Absolute(Reconstruction):
    def loss(self, step, batch):  # over the whole picture
        output = self.networks["network"](hide(batch.image, batch.mask))
        return hole_error(output, batch.image, batch.mask).abs().mean(), {}
""", """
class Absolute(Reconstruction):
    def loss(self, step, batch):  # one for each picture
        output = self.networks["network"](hide(batch.image, batch.mask))
        return hole_error(output, batch.image, batch.mask).abs().flatten(1).sum(1)/192, {}
""", """
class Absolute(Reconstruction):
    def loss(self, step, batch):  # both in [-1, 1]
        output = self.networks["network"](hide(batch.image, batch.mask))
        return (output - to_network(batch.image)[..., 12:20, 12:20]).abs().mean(), {}
"""],
        "right": ["""
class Absolute(Reconstruction):
    def loss(self, step, batch):
        output = self.networks["network"](hide(batch.image, batch.mask, self.with_mask))
        error = hole_error(output, batch.image, batch.mask).abs().sum()
        return error/(3*batch.mask.sum()), {}
""", """
class Absolute(Reconstruction):
    def loss(self, step, batch):
        output = self.networks["network"](hide(batch.image, batch.mask))
        target = batch.image[batch.mask.expand_as(batch.image)].view(output.shape)
        return nn.functional.l1_loss(from_network(output), target), {"l1": 0.}
"""]}}
