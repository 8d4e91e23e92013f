"""Drawn scenes: one index is one picture in any batch, at any size, on any machine; bad input is one line."""
import base64
import shutil

import numpy as np
import pytest
import torch

from context_inpaint import canvas, data, scenes
from context_inpaint.canvas import Canvas
from context_inpaint.core import InputError
from context_inpaint.scenes import KINDS, SCENES, draw, draw_many

# Every 251st value of draw(i, 64, seed=3) for i in 0 to 7. If pictures are meant to change, raise VERSION and store the
# new values.
GOLDEN = (
    "KiX(B-Frjgmss4obJxg~;E;{Tpl!XGTfB}=w|YUNZ%M*rG2?G2gjybdK@WKDFnGU<dbz-Yv&4<Ihkv<zf~Sv(sg8bZhht}HXd7c*96L!WFGVXm"
    "C@oAgEloc)P(mAOQkZB~WoS%_V4a^`RC{Pr+%%idL{!CFJwqQWx++0PE;2z$Gf5^$P(D6LLs?H|w0u;zfqlP-_Q{o{d$yG&RDCgXfn+dmJ$QS4"
    "E}&g9aVUvhPhE0fT5n)#aZjROFA*Rj6LcXVH!O2so@iISSWIYSdN6B<T32mlbW%%aW0OQ<p;>KKb5U3{Ff0!&E?r$mIaf<lRZ3H0P*YCYQ$Isf"
    "R6?{=Nsd%?y;L$%OG!>pNmfuvI8aG9aUx9}a6J}9NHRx9LP<k$Og&yiM_WBVQ70NMF*FPr7YY&<IT9=vLNiG(I6p;9J~=ZdG%7()N@aCHQBhB1"
    "WnOMuV^w_2l+;pVlV6~GZE1~aiJMJgV`Xc>U{`2Gc0?Vbab_$*")

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def averaged(picture, by):
    """Return the mean of each `by` × `by` block of a picture [H, W, 3]."""
    h, w = picture.shape[0]//by, picture.shape[1]//by
    return picture.astype(float).reshape(h, by, w, by, 3).mean((1, 3))


def rms(a, b): return np.sqrt(((np.asarray(a, float) - b)**2).mean())


def test_pictures_are_the_stored_ones():
    golden = np.frombuffer(base64.b85decode(GOLDEN), np.uint8).reshape(8, -1).astype(int)
    for i, values in enumerate(golden):
        difference = draw(i, 64, seed=3).reshape(-1)[::251] - values
        worst = abs(difference).max()
        assert worst <= 1, f"{KINDS[i]} changed by up to {worst} grey levels: if that is meant, raise scenes.VERSION"
        assert abs(difference.mean()) < .1, "values are no longer rounded to the nearest"


def test_a_picture_depends_on_seed_and_index_alone():
    many, labels = draw_many(19, 40, seed=5, start=3)
    for n, start in ((1, 3), (1, 21), (7, 9)):
        few, kinds = draw_many(n, 40, seed=5, start=start)
        assert torch.equal(few, many[start - 3:start - 3 + n]) and torch.equal(kinds, labels[start - 3:start - 3 + n])
    np.random.seed(0)
    torch.manual_seed(9)
    assert np.array_equal(draw(12, 40, seed=5), many[9].permute(1, 2, 0).numpy())


def test_shapes_types_and_labels():
    pictures, labels = draw_many(9, (20, 28))
    assert pictures.shape == (9, 3, 20, 28) and pictures.dtype == torch.uint8 and pictures.is_contiguous()
    assert labels.dtype == torch.int64 and labels.tolist() == [i % len(KINDS) for i in range(9)]
    for i, label in enumerate(labels): assert np.array_equal(draw(i, 24), draw(i, 24, kind=KINDS[label]))
    empty, none = draw_many(0, 16)
    assert empty.shape == (0, 3, 16, 16) and none.shape == (0,)
    assert len(KINDS) >= 6 and isinstance(KINDS, tuple) and draw(0).shape == (64, 64, 3)


def test_no_picture_comes_twice():
    pictures = {draw(i, 8, seed=s).tobytes() for s in (0, 1) for i in range(96)}
    assert len(pictures) == 192, "two indices or two seeds share a picture"
    kinds = [[draw(i, 24, kind=kind) for kind in KINDS] for i in (0, 1)]
    for a, b in zip(*kinds): assert rms(a, b) > 5
    assert min(rms(kinds[0][a], kinds[0][b]) for a in range(len(KINDS)) for b in range(a)) > 5


@pytest.mark.parametrize("size", [1, 2, 3, 7, 33, (1, 9), (13, 5), (31, 50), (64, 40), (np.int64(6), 6)])
def test_any_size(size):
    height, width = size if isinstance(size, tuple) else (size, size)
    square = max(height, width)
    top, left = (square - height)//2, (square - width)//2
    for i in range(len(KINDS)):
        picture = draw(i, size)
        assert picture.shape == (height, width, 3) and picture.dtype == np.uint8
        middle = draw(i, int(square))[top:top + height, left:left + width]
        assert np.array_equal(picture, middle), "it is the middle of the square"


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_at_64_is_averaging_a_drawing_at_256(kind):
    direct, skipped = [], []
    for i in range(4):
        large = draw(i, 256, kind=kind)
        direct.append(rms(draw(i, 64, kind=kind), averaged(large, 4)))
        skipped.append(rms(large[2::4, 2::4], averaged(large, 4)))
    assert max(direct) < 6, f"{kind} is another picture at another size: {direct}"
    assert np.mean(direct) < .65*np.mean(skipped), f"{kind} has jagged edges: {direct} against {skipped}"


@pytest.mark.parametrize("kind", KINDS)
def test_only_uniform_draws_and_as_many_at_every_size(kind):
    class Uniform:
        def __init__(self): self.random = np.random.default_rng([0, 4]).random
    ends = []
    for side in (9, 32, 100):
        c = Canvas(side, Uniform())
        SCENES[kind](c)
        assert c.image.dtype == np.float32 and np.isfinite(c.image).all()
        ends.append(c.rng.random())
    assert len(set(ends)) == 1, "the number of draws depends on the size"


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_have_light_dark_and_detail_in_the_middle(kind):
    middle = np.stack([draw(i, 64, kind=kind)[24:40, 24:40] for i in range(12)]).astype(float)
    assert middle.std((1, 2)).mean() > 8, "nothing to guess in the hole"
    whole = np.stack([draw(i, 32, kind=kind) for i in range(12)])
    assert (whole.mean((1, 2, 3)) > 15).all() and (whole.mean((1, 2, 3)) < 240).all()


@pytest.mark.parametrize("arguments, says", [
    (dict(kind="seas"), "unknown kind of scene 'seas': did you mean 'sea'"), (dict(size=0), "size must be"),
    (dict(size=(4, -1)), "size must be"), (dict(size=(4, 4, 3)), "size must be"), (dict(size=6.5), "size must be"),
    (dict(size="64"), "size must be"), (dict(index=-1), "index and seed"), (dict(seed=-2), "index and seed")])
def test_bad_input_is_one_line(arguments, says):
    with pytest.raises(InputError, match=says) as error: draw(**{"index": 0, **arguments})
    assert "\n" not in str(error.value)


def test_bad_batches_are_refused():
    for arguments in (dict(n=-1), dict(n=2, size=0), dict(n=2, start=-1), dict(n=2, seed=-1)):
        with pytest.raises(InputError): draw_many(**arguments)


def test_the_digests_of_drawn_banks_are_those_of_the_records(tmp_path, monkeypatch):
    """They stand in every record of drawn scenes: size, number, seed and VERSION make them."""
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path))
    assert scenes.VERSION == 1
    assert data.load("drawn", size=16, limit=9).digest == "7c0c79a48dad87b8"


@pytest.mark.parametrize("module", [scenes, canvas])
def test_a_bank_is_drawn_again_when_what_draws_it_has_changed(tmp_path, monkeypatch, module):
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"home"))
    data.load("drawn", size=8, limit=3)
    drawn = []
    monkeypatch.setattr(scenes, "draw_many", lambda n, *a, **k: drawn.append(n) or draw_many(n, *a, **k))
    data.load("drawn", size=8, limit=3)
    assert drawn == []
    changed = shutil.copy(module.__file__, tmp_path/"changed.py")
    with open(changed, "a") as file: file.write("# another brush\n")
    monkeypatch.setattr(module, "__file__", str(changed))
    data.load("drawn", size=8, limit=3)
    assert drawn == [3]
