"""How an import asks a host for its models."""

from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.library import identify_by
from clip_skip.skip.architectures import ARCHITECTURES

SD1, SDXL = ARCHITECTURES["sd1"], ARCHITECTURES["sdxl"]
ONE = Checkpoint("anime", SD1, "/models/SD/anime.ckpt", "a" * 64, "SD")
TWIN = Checkpoint("anime", SDXL, "/models/XL/anime.safetensors", None, "XL")
BARE = Checkpoint("anime", SD1, "/models/anime.ckpt", "c" * 64)
ROOT = Checkpoint("photo", SD1, "/models/photo.ckpt", "b" * 64)
TITLES = {"SD/anime.ckpt [aaaaaaaaaa]": ONE, "XL/anime.safetensors": TWIN, "photo.ckpt [bbbbbbbbbb]": ROOT}
# As A1111 lists them: the last of two of one name, and by hashes, the old one too.
ALIASES = {**TITLES, "anime": TWIN, "photo": ROOT, "a" * 10: ONE, "b" * 64: ROOT, "0eb3318b": TWIN, "XL_anime": TWIN}


def names(word):
    return [model.name for model in identify_by(ALIASES.get, lambda: TITLES)(word)]


def test_all_models_of_a_name():
    assert names("anime") == names("anime.safetensors [0123456789]") == ["SD/anime.ckpt", "XL/anime.safetensors"]
    assert names("SD/anime") == names("D:\\\\SD\\\\anime.ckpt") == ["SD/anime.ckpt"]
    assert names("elsewhere/anime") == ["SD/anime.ckpt", "XL/anime.safetensors"]
    assert names("photo") == names("models/photo.ckpt") == ["photo.ckpt"]
    assert names("XL_anime") == ["XL/anime.safetensors"]
    assert names("new") == []


def test_a_name_without_a_folder_is_any_of_them():
    listed = {**TITLES, "anime.ckpt [cccccccccc]": BARE}
    assert len(identify_by(listed.get, lambda: listed)("anime")) == 3
    assert [model.name for model in identify_by(listed.get, lambda: listed)("models/anime")] == ["anime.ckpt"]


def test_by_hash_but_never_by_the_old_one():
    assert names("a" * 10) == ["SD/anime.ckpt"] and names("b" * 64) == ["photo.ckpt"]
    assert names("0eb3318b") == names("0eb3318b.ckpt") == []
