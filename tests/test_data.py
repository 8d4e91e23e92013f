"""Banks of pictures: what is read, what is refused and how it is said, what is cached, how batches are cut, what two
banks share."""
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from context_inpaint import data
from context_inpaint.core import InputError, generator
from context_inpaint.data import batches, common, load
from context_inpaint.photos import read_image, sample_photos


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"home"))
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")


def pixels(seed=0, height=24, width=24):
    """Smooth colours, unlike for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def save(path, array, **settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **settings)
    return path


@pytest.fixture
def photos(tmp_path):
    for i, name in enumerate(("sea/a.png", "sea/deep/b.png", "wood/c.webp", "wood/d.JPG", "e.bmp")):
        save(tmp_path/"photos"/name, pixels(i), **({"lossless": True} if name.endswith("webp") else {}))
    (tmp_path/"photos"/"notes.txt").write_text("not a picture")
    save(tmp_path/"photos"/"wood"/"._c.png", pixels(9))
    return tmp_path/"photos"


def one_line(error): return "\n" not in str(error.value) and 20 < len(str(error.value)) < 400


# Folders

def test_folder_layout_order_classes_and_pixels(photos):
    bank = load(f"folder:{photos}", size=24)
    assert bank.names == ("e.bmp", "sea/a.png", "sea/deep/b.png", "wood/c.webp", "wood/d.JPG")
    assert bank.classes == ("sea", "wood") and bank.labels.tolist() == [-1, 0, 0, 1, 1]
    assert bank.labels.dtype == torch.int64
    assert bank.images.dtype == torch.uint8 and bank.images.shape == (5, 3, 24, 24) and bank.spec == f"folder:{photos}"
    for i, seed in ((0, 4), (1, 0), (2, 1), (3, 2)):
        assert (bank.images[i].permute(1, 2, 0).numpy() == pixels(seed)).all()
    assert len(bank) == 5
    with pytest.warns(UserWarning, match="enlarged"):
        assert load(f"folder:{photos}").images.shape[-1] == 32  # the preset's


def test_train_and_test_folders_agree_on_classes(tmp_path):
    for name in ("train/b/1.png", "train/c/2.png", "test/a/3.png", "test/c/4.png"):
        save(tmp_path/name, pixels(int(name[-5])))
    train, test = (load(f"folder:{tmp_path}", size=24, split=split) for split in ("train", "test"))
    assert train.names == ("b/1.png", "c/2.png") and test.names == ("a/3.png", "c/4.png")
    assert train.classes == test.classes == ("a", "b", "c") and train.labels.tolist() == [1, 2]
    assert test.labels.tolist() == [0, 2]
    for split in ("train", "test"): assert len(load(f"folder:{tmp_path}/train", size=24, split=split)) == 2
    (tmp_path/"test").rename(tmp_path/"other")
    assert len(load(f"folder:{tmp_path}", size=24, split="test")) == 4


def test_links_are_followed_once(photos, tmp_path):
    (tmp_path/"link").symlink_to(photos)
    (photos/"sea"/"loop").symlink_to(photos)
    assert load(f"folder:{tmp_path/'link'}", size=24).names == load(f"folder:{photos}", size=24).names
    assert len(load(f"folder:{photos}", size=24)) == 5
    (tmp_path/"all").mkdir()
    (tmp_path/"all"/"kind").symlink_to(photos/"wood")
    assert load(f"folder:{tmp_path/'all'}", size=24).names == ("kind/c.webp", "kind/d.JPG")


def test_centre_square_is_cut_then_resized_with_antialiasing(tmp_path):
    wide = np.zeros((40, 100, 3), np.uint8)
    wide[:, 30:70] = 255
    save(tmp_path/"wide"/"a.png", wide)
    assert (load(f"folder:{tmp_path/'wide'}", size=8).images == 255).all()
    checks = np.indices((64, 64)).sum(0) % 2*np.full((3, 1, 1), 255)
    save(tmp_path/"checks"/"a.png", checks.transpose(1, 2, 0).astype(np.uint8))
    assert (load(f"folder:{tmp_path/'checks'}", size=8).images.float() - 127.5).abs().max() < 3


def test_large_jpeg_is_decoded_small_but_right(tmp_path):
    big = pixels(3, 900, 1200)
    save(tmp_path/"a"/"a.jpg", big, quality=95)
    square = Image.fromarray(big).crop((150, 0, 1050, 900))
    slow = np.asarray(square.resize((32, 32), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(load(f"folder:{tmp_path/'a'}", size=32).images[0].permute(1, 2, 0).numpy() - slow).mean() < 3


def test_limit_is_a_fixed_sample_nested_and_sorted(tmp_path):
    for i in range(40): save(tmp_path/"p"/f"{'ab'[i > 19]}"/f"{i:02}.png", pixels(i))
    few, more = (load(f"folder:{tmp_path/'p'}", size=8, limit=n) for n in (6, 20))
    assert len(few) == 6 and set(few.names) < set(more.names) and list(more.names) == sorted(more.names)
    assert few.classes == ("a", "b")
    assert 0 < more.labels.sum() < 20 and few.names == load(f"folder:{tmp_path/'p'}", size=8, limit=6).names
    whole = load(f"folder:{tmp_path/'p'}", size=8)
    assert load(f"folder:{tmp_path/'p'}", size=8, limit=41).digest == whole.digest  # at most so many


def test_enlarging_is_reported_also_from_the_cache(photos):
    for _ in range(2):
        with pytest.warns(UserWarning, match="5 pictures .* smaller than 32×32"): load(f"folder:{photos}", size=32)


# Damaged files

def huge_png(path, side=10_001):
    """A PNG that says it is huge and holds nothing: what a decompression bomb looks like before it is opened."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


@pytest.fixture
def damaged(photos):
    whole = save(photos/"whole.jpg", pixels(7, 64, 64)).read_bytes()
    (photos/"whole.jpg").unlink()
    (photos/"sea"/"cut.jpg").write_bytes(whole[:len(whole)//2])
    (photos/"sea"/"empty.png").touch()
    (photos/"sea"/"text.jpg").write_text("I am a letter")
    (photos/"sea"/"gone.jpg").symlink_to(photos/"nowhere.jpg")
    huge_png(photos/"wood"/"huge.png")
    huge_png(photos/"wood"/"huger.png", 20_000)
    return photos


REASONS = {"sea/cut.jpg": "truncated", "sea/empty.png": "empty", "sea/text.jpg": "no JPEG, PNG",
           "sea/gone.jpg": "no such file",
           "wood/huge.png": "100 million pixels", "wood/huger.png": "100 million pixels"}


@pytest.mark.parametrize("name", REASONS)
def test_a_damaged_file_is_named(damaged, name):
    for other in REASONS:
        if other != name: (damaged/other).unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=f"1 of 6 .*{name}: .*{REASONS[name]}.*skip_bad=True") as error:
            load(f"folder:{damaged}", size=24)
        assert one_line(error)
        with pytest.raises(InputError, match=f"cannot read .*{name}: .*{REASONS[name]}") as error:
            read_image(damaged/name)
        assert one_line(error)


def test_damaged_files_are_counted_and_skipped_only_when_asked(damaged, photos):
    with pytest.raises(InputError, match="cannot read 6 of 11 .*cut.jpg.*; …") as error:
        load(f"folder:{damaged}", size=24)
    assert one_line(error)
    for _ in range(2):  # decoded, then cached
        with pytest.warns(UserWarning, match=r"6 of 11 .*skipped"):
            bank = load(f"folder:{damaged}", size=24, skip_bad=True)
    assert bank.names == ("e.bmp", "sea/a.png", "sea/deep/b.png", "wood/c.webp", "wood/d.JPG")
    assert bank.labels.tolist() == [-1, 0, 0, 1, 1]
    with pytest.raises(InputError, match="6 of 11"): load(f"folder:{damaged}", size=24)
    for name in REASONS: (damaged/name).unlink()
    clean = load(f"folder:{damaged}", size=24)
    assert clean.digest == bank.digest and (clean.images == bank.images).all()
    for name in clean.names: (damaged/name).write_bytes(b"x")
    with pytest.raises(InputError, match="none is left"): load(f"folder:{damaged}", size=24, skip_bad=True)


def test_too_little_memory_is_no_damage(photos, monkeypatch):
    def full(*args, **settings): raise MemoryError
    monkeypatch.setattr(data.Image, "open", full)
    with pytest.raises(MemoryError): load(f"folder:{photos}", size=24, skip_bad=True)


# Bad requests

@pytest.mark.parametrize("spec, said", {
    "drwan": "did you mean 'drawn'", "foldr:x": "did you mean 'folder'", "": "unknown data source",
    "folder": "folder:PATH", "folder:": "folder:PATH", "places365": "places365:PATH", "drawn:5": "takes no path",
    "samples:": "takes no path", "folder:/no/such/place": "no folder", "folder:C:/no/such": "no folder C:",
    "places365:/no/such/place": r"categories_places365.txt: data/README.md"}.items())
def test_bad_specs(spec, said):
    with pytest.raises(InputError, match=said) as error: load(spec)
    assert one_line(error)


def test_bad_folders_and_numbers(photos, tmp_path, monkeypatch):
    (tmp_path/"none"/"deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for spec, settings, said in (("folder:none", {}, "no pictures in none.*jpg"), ("photos", {}, "write folder:photos"),
                                 ("folder:photos/e.bmp", {}, "no folder photos/e.bmp"),
                                 ("folder:photos", {"size": 7}, "at least 8"),
                                 ("folder:photos", {"limit": 0}, "limit must be at least 1"),
                                 ("folder:photos", {"split": "tset"}, "did you mean 'test'")):
        with pytest.raises(InputError, match=said) as error: load(spec, **settings)
        assert one_line(error)
    (tmp_path/"C:"/"x").mkdir(parents=True)
    save(tmp_path/"C:"/"x"/"a.png", pixels())
    assert len(load("folder:C:/x", size=24)) == 1


# Drawn, samples, Places

def test_drawn_has_two_splits_a_digest_and_a_cache(monkeypatch):
    from context_inpaint import scenes
    a, b, test = (load("drawn", size=16, limit=9, split=split) for split in ("train", "train", "test"))
    images, labels = scenes.draw_many(9, 16, seed=0)
    assert (a.images == images).all() and (a.labels == labels).all() and a.classes == tuple(scenes.KINDS)
    assert (a.images == b.images).all() and a.digest == b.digest and not (a.images == test.images).all()
    others = {load("drawn", size=16, limit=8).digest, load("drawn", size=17, limit=9).digest, test.digest}
    assert len(others | {a.digest}) == 4 and len(load("drawn", size=8)) == 64
    assert len(load("drawn", size=8, split="test")) == 32
    monkeypatch.setattr(scenes, "draw_many", lambda *a, **k: pytest.fail("drawn again"))
    load("drawn", size=16, limit=9)


def test_samples():
    photos, bank = sample_photos(), load("samples", size=40)
    assert tuple(photos) == bank.names == ("astronaut", "chelsea", "china", "coffee", "flower", "motorcycle", "rocket")
    assert all(p.dtype == torch.uint8 and p.shape[0] == 3 and min(p.shape[1:]) >= 300 for p in photos.values())
    assert bank.images.shape == (7, 3, 40, 40) and bank.labels.tolist() == [-1]*7 and bank.classes == ()
    assert load("samples", size=40, split="test").digest == bank.digest


@pytest.fixture
def places(tmp_path):
    root, kinds = tmp_path/"places", ("airfield", "bar", "stable/indoor")
    for i in range(1, 22): save(root/"val_256"/f"Places365_val_{i:08}.jpg", pixels(i, 32, 32))
    (root/"categories_places365.txt").write_text("".join(f"/{k[0]}/{k} {i}\n" for i, k in enumerate(kinds)))
    (root/"places365_val.txt").write_text("".join(f"Places365_val_{i:08}.jpg {i % 3}\n" for i in range(1, 22)))
    return root


def test_places(places):
    train, test = (load(f"places365:{places}", size=32, split=split) for split in ("train", "test"))
    assert (len(train), len(test)) == (15, 6) and train.classes == test.classes == ("airfield", "bar", "stable-indoor")
    files = [name.split("/")[1] for name in (*train.names, *test.names)]
    assert len(set(files)) == 21
    for bank in (train, test):
        for name, label in zip(bank.names, bank.labels.tolist()):
            assert bank.classes[label] == name.split("/")[0] and label == int(name[-12:-4]) % 3
    assert load(f"places365:{places}", size=32, split="test").names == test.names
    (places/"val_256"/files[0]).unlink()
    with pytest.raises(InputError, match=f"{files[0]}: there is no such file"): load(f"places365:{places}", size=32)


def test_places_damaged(places):
    (places/"places365_val.txt").write_text("Places365_val_00000001.jpg 9\n")
    with pytest.raises(InputError, match="lists .* damaged"): load(f"places365:{places}", size=32)
    (places/"val_256").rename(places/"val")
    with pytest.raises(InputError, match="no .*val_256: data/README"): load(f"places365:{places}", size=32)


# Digest and cache

def test_digest_changes_if_and_only_if_content_does(photos, tmp_path):
    spec, first = f"folder:{photos}", load(f"folder:{photos}", size=24).digest
    digests = [first]

    def differs():
        digests.append(load(spec, size=24).digest)
        return len(set(digests)) == len(digests)

    (photos/"sea"/"a.png").touch()
    (photos/"more.txt").write_text("still no picture")
    (tmp_path/"moved").symlink_to(photos)
    assert load(spec, size=24).digest == load(f"folder:{tmp_path/'moved'}", size=24).digest == first
    assert load(spec, size=16).digest != first and load(spec, size=24, limit=4).digest != first
    (photos/"wood").rename(photos/"woods")
    assert differs()
    save(photos/"sea"/"a.png", pixels(50))
    assert differs()
    Image.fromarray(pixels(60)).save(photos/"e.bmp")
    assert differs()
    (photos/"e.bmp").unlink()
    assert differs()
    save(photos/"f.png", pixels(4))
    assert differs()


def test_a_second_load_reads_the_cache_and_a_damaged_cache_is_rebuilt(photos, tmp_path, monkeypatch):
    first, decode = load(f"folder:{photos}", size=24), data.decode
    monkeypatch.setattr(data, "decode", lambda *a, **k: pytest.fail("decoded again"))
    assert (load(f"folder:{photos}", size=24).images == first.images).all()
    monkeypatch.setattr(data, "decode", decode)
    [file] = (tmp_path/"home"/"banks").iterdir()
    good = file.read_bytes()
    flipped = bytearray(good)
    flipped[-7] ^= 1
    for harm in (good[:-9], b"", b"nonsense"*9, bytes(flipped)):
        file.unlink()
        file.write_bytes(harm)
        with pytest.warns(UserWarning, match="damaged: making"): again = load(f"folder:{photos}", size=24)
        assert (again.images == first.images).all() and file.read_bytes() == good
    again.images[:] = 0
    assert file.read_bytes() == good and (load(f"folder:{photos}", size=24).images == first.images).all()


def test_a_home_that_cannot_be_written_costs_only_the_cache(photos, tmp_path, monkeypatch):
    (tmp_path/"file").touch()
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"file"))
    with pytest.warns(UserWarning, match="cannot cache"): assert len(load(f"folder:{photos}", size=24)) == 5


# The bank

def test_bank_indexing_split_and_batch(photos):
    bank = load(f"folder:{photos}", size=24)
    part = bank[torch.tensor([3, 0])]
    assert part.names == ("wood/c.webp", "e.bmp") and part.labels.tolist() == [1, -1]
    assert (part.images[1] == bank.images[0]).all() and part.classes == bank.classes
    assert bank[1:3].names == bank.names[1:3] and bank[bank.labels == 1].names == bank.names[3:]
    assert bank[-1].names == bank.names[-1:]
    assert bank[:].digest == bank.digest and len({bank.digest, part.digest, bank[[0, 3]].digest, bank[1:3].digest}) == 4
    rest, held = bank.split(2, seed=1)
    assert sorted(rest.names + held.names) == sorted(bank.names) and len(held) == 2
    assert held.names == bank.split(2, seed=1)[1].names and len({bank.split(2, seed=s)[1].names for s in range(9)}) > 1
    for n in (0, 5):
        with pytest.raises(InputError, match="choose 1 to 4"): bank.split(n, 0)
    batch = bank.batch(torch.tensor([2, 2]))
    assert batch.dtype == torch.float32 and ((batch*255).round().to(torch.uint8) == bank.images[[2, 2]]).all()
    assert batch.max() <= 1
    assert (bank.to("cpu").images == bank.images).all()


def test_batches_in_order_and_shuffled(photos):
    bank = load(f"folder:{photos}", size=24)
    seen = list(batches(bank, 2))
    assert [i.tolist() for _, i in seen] == [[0, 1], [2, 3], [4]] and all((x == bank.batch(i)).all() for x, i in seen)
    a, b, c = ([(x, i) for x, i in batches(bank, 2, generator(s), size=10, flip=True)] for s in (0, 0, 1))
    assert all((x == y).all() and (i == j).all() for (x, i), (y, j) in zip(a, b))
    assert not all((x == y).all() for (x, _), (y, _) in zip(a, c))
    assert sorted(torch.cat([i for _, i in a]).tolist()) == list(range(5)) and a[0][0].shape == (2, 3, 10, 10)
    assert a[0][0].dtype == torch.float32
    state = generator(0)
    assert [i.tolist() for _, i in batches(bank, 5, state)] != [i.tolist() for _, i in batches(bank, 5, state)]
    for size, settings, said in ((0, {}, "batch_size"), (2, {"flip": True}, "generator"),
                                 (2, {"size": 25}, "cannot crop 25×25 out of 24×24")):
        with pytest.raises(InputError, match=said): batches(bank, size, **settings)


def test_crops_and_flips_are_windows_of_the_pictures():
    height, width, side, n = 12, 12, 9, 300
    code = torch.arange(height*width, dtype=torch.uint8).reshape(1, 1, height, width).expand(n, 3, -1, -1).contiguous()
    bank = data.Bank(code, torch.zeros(n, dtype=torch.long), (), tuple(map(str, range(n))), "d", "s")
    [(central, _)] = batches(bank, n, size=side)
    assert ((central*255).round() == code[:, :, 1:10, 1:10]).all()
    corners, mirrored = set(), 0
    for images, _ in batches(bank, 64, generator(0), size=side, flip=True):
        for image in (images*255).round().to(torch.uint8):
            mirror = bool(image[0, 0, 0] > image[0, 0, 1])
            if mirror: image = image.flip(2)
            top, left = divmod(int(image[0, 0, 0]), width)
            assert (image == code[0, :, top:top + side, left:left + side]).all()
            corners.add((top, left))
            mirrored += mirror
    assert corners == {(top, left) for top in range(4) for left in range(4)} and .4*n < mirrored < .6*n
    assert not any((x[..., 0] > x[..., 1]).any() for x, _ in batches(bank, 64, generator(0), size=side))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_batches_on_a_gpu_equal_those_on_the_cpu_and_wait_for_nothing(photos, monkeypatch):
    bank = load(f"folder:{photos}", size=24)
    slow = list(batches(bank, 2, generator(0), size=10, flip=True))
    there = bank.to("cuda")
    epoch = batches(there, 2, generator(0), size=10, flip=True)
    torch.cuda.set_sync_debug_mode("error")
    try: fast = list(epoch)
    finally: torch.cuda.set_sync_debug_mode("default")
    assert all(x.is_cuda and (x.cpu() == y).all() and (i.cpu() == j).all() for (x, i), (y, j) in zip(fast, slow))
    assert all(x.is_cuda and not i.is_cuda for x, i in batches(bank, 2, device="cuda")) and there[1:3].images.is_cuda
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 1000))
    with pytest.warns(UserWarning, match="would fill the GPU"): assert not bank.to("cuda").images.is_cuda


# Duplicates

def test_common_finds_copies_and_near_copies_and_nothing_else(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(20): save(tmp_path/"a"/f"{i:02}.png", pixels(i, 64, 64))
    noisy = np.clip(pixels(5, 64, 64).astype(int) + rng.integers(-9, 10, (64, 64, 3)), 0, 255).astype(np.uint8)
    smaller = np.asarray(Image.fromarray(pixels(11, 64, 64)).resize((40, 40), Image.Resampling.BICUBIC))
    near = {0: pixels(3, 64, 64), 1: noisy, 3: smaller, 5: np.roll(pixels(2, 64, 64), 1, 1)}
    for i in range(8): save(tmp_path/"b"/f"{i}.png", near.get(i, pixels(100 + i, 64, 64)))
    save(tmp_path/"b"/"4.jpg", pixels(8, 64, 64), quality=50)
    a, b = load(f"folder:{tmp_path/'a'}", size=64), load(f"folder:{tmp_path/'b'}", size=32)
    names = {(int(a.names[i][:2]), b.names[j]) for i, j in common(a, b)}
    assert names == {(3, "0.png"), (5, "1.png"), (11, "3.png"), (8, "4.jpg"), (2, "5.png")}
    assert sorted((j, i) for i, j in common(b, a)) == sorted(common(a, b))
    assert common(a, a) == [(i, i) for i in range(20)]


def test_common_does_not_take_like_for_same():
    """Same hash, other colours: only the pixels tell."""
    image = torch.from_numpy(pixels(0, 32, 32).copy()).permute(2, 0, 1)
    bank = data.Bank(torch.stack([image, image.flip(0)]), torch.zeros(2, dtype=torch.long), (), ("a", "b"), "d", "s")
    assert common(bank, bank) == [(0, 0), (1, 1)]


def test_drawn_splits_share_nothing():
    assert common(load("drawn", size=32, limit=200), load("drawn", size=32, limit=100, split="test")) == []


def test_common_is_quick():
    import time
    images = torch.randint(0, 256, (3000, 3, 32, 32), dtype=torch.uint8, generator=generator(0))
    bank = data.Bank(images, torch.zeros(3000, dtype=torch.long), (), tuple(map(str, range(3000))), "d", "s")
    start = time.process_time()
    assert common(bank, bank[1000:2000]) == [(i + 1000, i) for i in range(1000)]
    assert time.process_time() - start < 10
