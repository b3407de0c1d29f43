"""Files beside a model, in the shape that each program writes them."""

import json
import os
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clip_skip.models.inspect.evidence.evidence import HINT, PROBABLE
from clip_skip.models.inspect.evidence.sidecars import MAX_BYTES, read_sidecars, sidecar_files
from clip_skip.skip.architectures import ARCHITECTURES

ANYTHING = "543bcbc21294831c6245cd74c8a7707761e28812c690f946cb81fef930d54b5e"
SD15 = "6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa"
MEINA = "5ec1b9b5f6" + "0" * 54


class Beside:
    """A model file, and what the tests put beside it."""

    def __init__(self, folder):
        self.model = folder / "meinamix.v11.safetensors"
        self.model.write_bytes(b"")

    def put(self, suffix, content):
        data = content if isinstance(content, bytes) else content if isinstance(content, str) else json.dumps(content)
        path = self.model.with_name("meinamix.v11" + suffix)
        path.write_bytes(data) if isinstance(data, bytes) else path.write_text(data, encoding="utf8")
        return path

    def statements(self, architecture_id="sd1"):
        return read_sidecars(self.model).skip_statements(architecture_id)

    def skips(self, architecture_id="sd1"):
        return {statement.id: statement.skip for statement in self.statements(architecture_id)}

    def evidence(self):
        return read_sidecars(self.model).lineage_evidence()


@pytest.fixture
def beside(tmp_path):
    return Beside(tmp_path)


def image(skip=None, **meta):
    """A sample image as Civitai's REST interface gives it; `skip` as older A1111 images have it."""
    fields = {"Size": "512x768", "seed": 1, "Model": "meinamix", "steps": 20, "prompt": "1girl", "cfgScale": 7}
    told = {} if skip is None else {"Clip skip": str(skip)}
    return {"url": "https://example.com/1.jpeg", "width": 512, "meta": {**fields, **told, **meta}}


def version(images=(), description=None, sha256=MEINA, name="meinamix.v11.safetensors", **more):
    hashes = {"AutoV1": "1A7DF6B8", "AutoV2": sha256[:10].upper(), "SHA256": sha256.upper(), "CRC32": "3A3E2D6B"}
    return {
        "id": 119057,
        "modelId": 7240,
        "name": "Meina V11",
        "baseModel": "SD 1.5",
        "description": description,
        "trainedWords": [],
        "model": {"name": "MeinaMix", "type": "Checkpoint", "nsfw": False},
        "files": [{"name": name, "type": "Model", "primary": True, "hashes": hashes}],
        "images": list(images),
        **more,
    }


def lora_manager(**more):
    return {
        "file_name": "meinamix.v11",
        "model_name": "MeinaMix",
        "sha256": MEINA,
        "base_model": "SD 1.5",
        "notes": "",
        "tags": [],
        "civitai": {},
        "modelDescription": "",
        "usage_tips": "{}",
        **more,
    }


# --- which files -----------------------------------------------------------------------------------------------------


def test_the_files_that_exist(beside):
    assert sidecar_files(beside.model) == {} and read_sidecars(beside.model).skip_statements("sd1") == []
    paths = {beside.put(suffix, "{}") for suffix in (".civitai.info", ".json", ".yaml", ".preview.png", ".html")}
    beside.put(".vae.pt", "")
    beside.put("-other.json", "{}")
    assert set(sidecar_files(beside.model)) == paths


@pytest.mark.parametrize("name", ["a.b.safetensors", "a.b.ckpt", "a.b.SafeTensors", "a.b"])
def test_the_name_without_its_ending(tmp_path, name):
    """A diffusers folder's name has no ending to cut off."""
    (tmp_path / "a.b.json").write_text("{}")
    (tmp_path / "a.json").write_text("{}")
    assert list(sidecar_files(tmp_path / name)) == [tmp_path / "a.b.json"]


def test_what_is_no_regular_file_is_passed_over(beside):
    os.mkfifo(beside.model.with_name("meinamix.v11.json"))
    beside.model.with_name("meinamix.v11.civitai.info").mkdir()
    assert sidecar_files(beside.model) == {} and beside.evidence() == []


# --- stated numbers --------------------------------------------------------------------------------------------------


def test_lora_manager(beside):
    beside.put(".metadata.json", lora_manager(usage_tips='{"strength":0.8,"clip_skip":2}'))
    assert beside.skips() == {"lora-manager": {"l": 2}}
    assert beside.skips("sdxl") == {"lora-manager": {"l": 1, "g": 1}}
    assert not any(statement.trained for statement in beside.statements())


def test_civitai_version(beside):
    beside.put(".civitai.info", version(clipSkip=2))
    assert beside.skips() == {"civitai-version": {"l": 2}}
    beside.put(".civitai.info", version(clipSkip=None))
    assert beside.skips() == {}


def test_minus_two_is_what_comfyui_calls_two(beside):
    beside.put(".metadata.json", lora_manager(usage_tips='{"clip_skip": "-2"}', civitai=version(clipSkip=-2)))
    beside.put(".civitai.info", version([image(-2)] * 3))
    assert beside.skips() == {id: {"l": 2} for id in ("lora-manager", "civitai-version", "sample-images")}


@pytest.mark.parametrize("value", [0, 13, 1e9, "abc", None, True, [2], {"l": 2}, -13, float("nan"), "9" * 9000])
def test_values_that_are_no_skip_are_named(beside, value):
    beside.put(".metadata.json", lora_manager(usage_tips=json.dumps({"clip_skip": value})))
    (statement,) = beside.statements()
    assert statement.skip == {} and "from 1 to 12" in statement.text and len(statement.text) < 200


YAML = """# layer_idx: 5
model:
  target: ldm.models.diffusion.ddpm.LatentDiffusion
  params:
    unet_config:
      params:
        layer: 3
    cond_stage_config:
      target: ldm.modules.encoders.modules.FrozenCLIPEmbedder
      params:
{}
"""


@pytest.mark.parametrize(
    "lines, skip",
    [
        ('        layer: "hidden"\n        layer_idx: 11', 2),
        ("        layer: hidden\n        layer_idx: -2  # penultimate", 2),
        ("        layer_idx: -1", 1),
        ("        layer_idx: 12", 1),
        ("        layer: last", 1),
        ("        layer: hidden\r\n        layer_idx: +11\r\n    other:\n      params:\n        layer_idx: 5", 2),
        ("        'layer': 'hidden'\n        \"layer_idx\": \"11\"", 2),
        ("        x: {layer: hidden, layer_idx: 11}", 2),
    ],
)
def test_configuration(beside, lines, skip):
    beside.put(".yaml", YAML.format(lines))
    assert beside.skips() == {"yaml": {"l": skip}}
    assert beside.skips("sdxl") == {}


def test_a_configuration_in_one_line(beside):
    beside.put(".yaml", "model:\n cond_stage_config: {target: x, params: {layer: hidden, layer_idx: 11}}\n other: 1\n")
    assert beside.skips() == {"yaml": {"l": 2}}


@pytest.mark.parametrize("lines", ["        layer_idx: 0", "        layer_idx: 13", "        layer_idx: -13"])
def test_a_layer_that_is_none_is_named(beside, lines):
    beside.put(".yaml", YAML.format(lines))
    assert beside.skips() == {"yaml": {}}


@pytest.mark.parametrize("text", [YAML.format(""), YAML.format("        layer: pooled"), "layer_idx: 11", "{", ""])
def test_a_configuration_that_names_no_layer(beside, text):
    beside.put(".yaml", text)
    assert beside.skips() == {}


# --- sample images ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "images, skip",
    [
        ([image(2)] * 3, 2),
        ([image(2)] * 3 + [image(1)] * 2, 2),
        ([image(clipSkip=2)] * 2 + [image(2)], 2),
        ([{"meta": {"id": 7, **image(2)}}] * 3, 2),
        ([image(1)] * 3 + [image()] * 7, 1),
        # A1111 leaves out a skip of 1.
        ([image(Version="v1.6.0", **{"Model hash": MEINA[:10]})] * 3, 1),
        ([image(Version="1.1.1", **{"Model hash": MEINA[:10]})] * 3, 1),
        ([image(Version="V 1.6.0", **{"Model hash": MEINA[:10]})] * 3, 1),
        ([image(2, civitaiResources=[{"type": "checkpoint", "modelVersionId": 119057}])] * 3, 2),
        ([image(Version="## 1.4.0", **{"Model hash": MEINA[:10]})] * 3, 1),
        # Before its 1.2 it did not write its version either: 3 with a skip of 2, 7 with 1.
        ([image(2)] * 3 + [image(**{"Model hash": MEINA[:10]})] * 7, 1),
        ([image(2)] * 3 + [image("two"), image(99), image(0), {"meta": None}, {}], 2),
    ],
)
def test_sample_images(beside, images, skip):
    beside.put(".civitai.info", version(images))
    assert beside.skips() == {"sample-images": {"l": skip}}
    assert beside.skips("sdxl") == beside.skips("flux") == {}


@pytest.mark.parametrize(
    "images",
    [
        [image(2)] * 2,
        [image(2)] * 5 + [image(1)] * 4,
        [image()] * 10,
        [image(Version="f2.0.1v1.10.1", **{"Model hash": MEINA[:10]})] * 3,
        [image(Version="ComfyUI", **{"Model hash": MEINA[:10]})] * 3,
        [image(Version="058a7f0", App="SD.Next", **{"Model hash": MEINA[:10]})] * 3,
        [image(comfy="{}", **{"Model hash": MEINA[:10]})] * 3,
        [image(2, **{"Model hash": "6ce0161689"})] * 5,
        [image(2, civitaiResources=[{"type": "checkpoint", "modelVersionId": 7}])] * 5,
        [image(2, hashes={"model": "6ce0161689"})] * 5,
        [image(2, resources=[{"type": "model", "hash": "6ce0161689", "name": "other"}])] * 5,
    ],
)
def test_too_few_at_odds_or_of_another_model(beside, images):
    beside.put(".civitai.info", version(images))
    assert beside.skips() == {}


@pytest.mark.parametrize("told", [MEINA[:10], MEINA.upper(), "1a7df6b8"])
def test_images_of_this_model(beside, told):
    beside.put(".civitai.info", version([image(2, **{"Model hash": told})] * 3))
    assert beside.skips() == {"sample-images": {"l": 2}}


def test_whole_model_of_sdnext_and_civitai_browser(beside):
    """The version that lists this very file counts, not its sisters."""
    versions = [
        version([image(1)] * 5, name="meinamix_v10.safetensors", sha256="1" * 64),
        version([image(2)] * 5),
    ]
    for suffix in (".json", ".api_info.json"):
        path = beside.put(suffix, {"id": 7240, "name": "MeinaMix", "type": "Checkpoint", "modelVersions": versions})
        assert beside.skips() == {"sample-images": {"l": 2}}
        path.unlink()
    beside.put(
        ".api_info.json", {"modelVersions": [versions[0], version([image(1)] * 5, name="x.ckpt", sha256="2" * 64)]}
    )
    assert beside.skips() == {}
    # Renamed, and known by the hash that the browser wrote beside.
    beside.put(".json", {"modelId": 7240, "sha256": "2" * 64, "activation text": "", "sd version": "SD1"})
    assert beside.skips() == {"sample-images": {"l": 1}}


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


# How each kind of text is written: its keyword, then its flags, then the text.
TEXTS = {
    b"tEXt": lambda text: b"parameters\0" + text.encode("latin-1"),
    b"zTXt": lambda text: b"parameters\0\0" + zlib.compress(text.encode("latin-1")),
    b"iTXt": lambda text: b"parameters\0\0\0\0\0" + text.encode("utf8"),
}


def png(parameters, kind=b"tEXt", before=(), size=1):
    header = chunk(b"IHDR", 2 * size.to_bytes(4, "big") + b"\x08\0\0\0\0")
    chunks = b"".join(chunk(*c) for c in before) + chunk(kind, TEXTS[kind](parameters))
    return b"\x89PNG\r\n\x1a\n" + header + chunks + chunk(b"IDAT", b"no picture") + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize(
    "line, skip",
    [
        (f"Steps: 20, Sampler: Euler a, Model hash: {MEINA[:10]}, Clip skip: 2, Version: v1.6.0", 2),
        (f"Steps: 20, Sampler: Euler a, Model hash: {MEINA[:10]}, Version: v1.6.0", 1),
        (f"Steps: 20, Model hash: {MEINA[:10]}, CLiP-skip: 1.5, Version: 058a7f0, App: SD.Next", 1.5),
        (f'Steps: 20, Model hash: {MEINA[:10]}, Clip skip: 2, Hires prompt: "cat, Clip skip: 5"', 2),
    ],
)
def test_preview_counts_as_one_image(beside, kind, line, skip):
    beside.put(".civitai.info", version([image(skip)] * 2))
    assert beside.skips() == {}
    beside.put(".preview.png", png(f"1girl, Clip skip: 7\nNegative prompt: bad\n{line}", kind, [(b"gAMA", b"1234")]))
    assert beside.skips() == {"sample-images": {"l": skip}}
    assert read_sidecars(beside.model).images == (skip,) * 3


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt", png("x")[:60], b"GIF89a" * 99]
)
def test_broken_previews(beside, data):
    beside.put(".civitai.info", version([image(2)] * 2))
    beside.put(".png", data)
    assert beside.skips() == {}


@pytest.fixture(scope="module")
def previews(tmp_path_factory):
    """What the preview with these bytes says, beside two sample images with clip skip 2."""
    model = tmp_path_factory.mktemp("previews") / "m.safetensors"
    model.with_suffix(".civitai.info").write_text(json.dumps(version([image(2)] * 2)))

    def read(data):
        model.with_suffix(".png").write_bytes(data)
        return read_sidecars(model).images[2:]

    return read


TOLD = "Steps: 20, Clip skip: 2"
USUAL = png(TOLD, before=[(b"gAMA", b"1234"), (b"zTXt", b"x\0\0" + zlib.compress(b"y"))])


def test_the_picture_itself_stays_packed(previews, recwarn):
    assert previews(png(TOLD, size=100_000)) == (2,)  # 10 billion pixels, of which there is none
    assert not recwarn.list


@pytest.mark.parametrize(
    "data",
    [
        png(TOLD, b"zTXt", [(b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 50_000_000))]),
        png("x" * 50_000_000 + TOLD, b"zTXt"),
        png(TOLD, before=[(b"prVt", b"x" * 2_000_000)]),  # no such length comes before a picture
        png(TOLD, before=[(b"iCCP", b"x\0\0" + zlib.compress(b"x" * 50_000_000))]),
        png(TOLD).replace(b"Clip skip: 2", b"Clip skip: 3"),  # the checksum is wrong
        b"GIF89a" + png(TOLD),
    ],
    ids=["bomb before", "bomb", "far behind", "bomb of a profile", "altered", "another format"],
)
def test_hostile_previews_say_nothing(previews, data):
    assert previews(data) == ()


@given(st.integers(0, len(USUAL)), st.binary(max_size=9), st.integers(0, 9))
def test_no_damage_to_a_preview_raises(previews, place, put, cut):
    assert previews(USUAL) == (2,)
    assert previews(USUAL[:place] + put + USUAL[place + cut :]) in [(), (2,)]


# --- descriptions ----------------------------------------------------------------------------------------------------

ONE_NUMBER = [
    ("Clip skip 2", 2),
    ("clip skip: 1", 1),
    ("CLIP-skip = 2", 2),
    ("ClipSkip 2", 2),
    ("clip_skip:2", 2),
    ("Use a Clip Skip of 2.", 2),
    ("set CLIP skip to 2 and CFG 7", 2),
    ("Clip skip -2 in ComfyUI", 2),
    ("Clip Skip (recommended): 2", 2),
    ("| Clip skip | 2 |", 2),
    ("<p>Clip skip:&nbsp;<strong>2</strong></p>", 2),
    ("Clip skip&#58; 1.5", 1.5),
    ("Clip skip: 2, 30 steps", 2),
    ("Clip skip 2 - 20 steps", 2),
    ("Do not use a VAE. Clip skip 2", 2),
    ("No VAE needed, clip skip 2", 2),
    ("Clip skip 2! I said: clip skip 2!", 2),
    ("CLIP_stop_at_last_layers: 2", 2),
    ("CLIP スキップ\uff1a\uff12", 2),
    ("クリップスキップは2がおすすめ", 2),
    ("Clip跳过层\uff1a2", 2),
    ("CLIP 终止层数 2", 2),
    ("clip skip 设为 2", 2),
    ("Clip skip: 2\uff0c不要使用高清修复", 2),
    ("Clip skip 2 wählen", 2),
    ("Préférez clip skip 2", 2),
    ("<p>clip&#8209;skip&#58;&#50;</p>", 2),
    ("clip skip \u22122", 2),
    ("<script>var clip_skip = 3;</script>Clip skip 2<style>.clip-skip-3 {}</style><!-- <b>clip skip 3</b> -->", 2),
]
NO_PREFERENCE = [
    "Clip skip 1 or 2",
    "Clip skip: 1-2",
    "clip skip 1/2",
    "Clip skip 1~2",
    "clip skip 1 and 2 both work",
    "clip skip 1 & 2",
    "CLIP skip 1または2",
    "clip skip 1 或 2",
    "Clip skip 1 for people. Clip skip 2 for landscapes.",
    "Clip skip \uff11〜\uff12",
]
NO_WORD = [
    "Clip skip. CFG 7",
    "Don't use clip skip 2",
    "never use Clip skip 2",
    "Clip skip 2 funciona fatal",
    "not made for clip skip 2",
    "clip skip 0",
    "clip skip 13",
    "clip skip 50%",
    "clip skip 2048",
    "clip skipping 2 frames",
    "clip skip yes",
    "I clip my nails and skip 2 meals",
    "",
]


@pytest.mark.parametrize("text, skip", ONE_NUMBER)
def test_descriptions_that_name_one_number(beside, text, skip):
    beside.put(".civitai.info", version(description=f"<p>A mix.</p>{text}\n<p>Steps 20, CFG 7</p>"))
    assert beside.skips() == {"description": {"l": skip}}


@pytest.mark.parametrize("text", NO_PREFERENCE)
def test_descriptions_without_a_preference(beside, text):
    beside.put(".civitai.info", version(description=text))
    assert beside.skips() == {"description": {}}
    assert "1 or 2" in beside.statements()[0].text


@pytest.mark.parametrize("text", NO_WORD)
def test_descriptions_that_say_nothing(beside, text):
    beside.put(".civitai.info", version(description=text))
    assert beside.skips() == {}


@pytest.mark.parametrize(
    "suffix, content",
    [
        (".html", "<h1>Mix</h1><p>Clip skip: 2</p>"),
        (".txt", "\ufeffClip skip 2"),
        (".txt", "Clip skip 2".encode("utf-16")),
        (".txt", b"Caf\xe9 \x96 clip skip 2"),
        (".json", json.dumps({"notes": "clip skip 2"}).encode("utf-16")),
        (".md", "* **Clip skip**: 2"),
        (".json", {"description": "Clip skip 2", "notes": "", "vae": "None"}),
        (".json", {"description": "", "notes": "clip skip 2", "sd version": "SD1"}),
        (".json", {"name": "Mix", "description": "<p>Clip skip 2</p>", "modelVersions": []}),
        (".civitai.info", version(model={"name": "Mix", "description": "clip skip 2"})),
        (".cm-info.json", {"ModelName": "Mix", "ModelDescription": "Clip skip 2", "VersionDescription": None}),
        (".metadata.json", lora_manager(modelDescription="clip skip 2")),
        (".metadata.json", lora_manager(civitai=version(description="clip skip 2"))),
    ],
)
def test_where_descriptions_lie(beside, suffix, content):
    beside.put(suffix, content)
    (statement,) = beside.statements()
    assert (statement.id, statement.skip) == ("description", {"l": 2}) and suffix in statement.text


@pytest.mark.parametrize(
    "page, text, skip",
    [
        ("gbk", "这是一个基于SD1.5的动漫模型。\r\n推荐参数\uff1aCLIP跳过层\uff1a2\uff0c不要使用高清修复。", 2),
        ("gbk", "注意\uff1a不推荐clip skip 2", None),
        ("cp932", "推奨設定\uff1aCLIPスキップは2", 2),
        ("cp932", "クリップスキップ\uff1a\uff12", 2),
        ("cp949", "이 모델은 애니메이션 모델입니다. 클립 스킵 2 를 추천합니다.", 2),
        ("big5", "這是一個動漫模型。推薦參數\uff1aCLIP跳過層\uff1a2\uff0c步數 30", 2),
        ("cp1251", "Модель аниме. Клип скип 2 рекомендуется", 2),
        ("cp1251", "\u041d\u0435 используйте clip skip 2", None),
        ("cp1252", "Für schöne Bilder: Clip skip 2 wählen, größer.", 2),
        ("cp1252", "Modèle réaliste. N\u2019utilisez jamais clip skip 2, c\u2019est très mauvais", None),
        ("cp1252", "Clip skip 2 … “ok”", 2),
    ],
)
def test_texts_of_an_old_windows(beside, page, text, skip):
    beside.put(".txt", text.encode(page))
    assert beside.skips() == ({} if skip is None else {"description": {"l": skip}})


def test_the_word_on_the_version_goes_before_that_on_the_model(beside):
    model = {"name": "Mix", "description": "V1: clip skip 1. V2: clip skip 2"}
    beside.put(".civitai.info", version(description="Clip skip 2", model=model))
    assert beside.skips() == {"description": {"l": 2}}


def test_conflicts_are_kept(beside):
    beside.put(".civitai.info", version([image(2)] * 3, "Clip skip 1"))
    beside.put(".metadata.json", lora_manager(usage_tips='{"clip_skip": 3}'))
    assert beside.skips() == {"lora-manager": {"l": 3}, "sample-images": {"l": 2}, "description": {"l": 1}}


def test_a_card_that_counts_from_the_last_block(beside):
    beside.put(".civitai.info", version(description="Make sure you load this model with clip skip 2 (or -2)"))
    (statement,) = beside.statements("sdxl")
    assert statement.skip == {"l": 1, "g": 1} and "1 here" in statement.text


def test_of_versions_with_files_of_one_name_the_files_own_hash_tells_which(beside):
    other = "a" * 64
    versions = [version(description="clip skip 2", sha256=other), version(description="clip skip 1")]
    beside.put(".json", {"id": 1, "modelVersions": versions})
    assert beside.skips() == {"description": {"l": 2}}  # both may be meant
    for sha256, skip in ((MEINA, 1), (MEINA.upper(), 1), (other, 2)):
        (statement,) = read_sidecars(beside.model, sha256).skip_statements("sd1")
        assert statement.skip == {"l": skip}
    beside.put(".json", {"sha256": MEINA, "modelVersions": versions})
    assert beside.skips() == {"description": {"l": 1}}


@pytest.mark.parametrize(
    "content", [{"modelspec.usage_hint": "clip skip 2"}, {"__metadata__": {"modelspec.description": "clip skip 2"}}]
)
def test_swarmui(beside, content):
    beside.put(".swarm.json", content)
    assert beside.skips() == {"description": {"l": 2}}


# --- descent ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "suffix, content",
    [
        (".civitai.info", version(sha256=ANYTHING)),
        (".metadata.json", lora_manager(sha256=ANYTHING)),
        (".json", {"modelId": 1, "sha256": ANYTHING.upper(), "description": ""}),
        (".cm-info.json", {"ModelName": "Mix", "Hashes": {"SHA256": ANYTHING.upper(), "CRC32": "x"}}),
        (".api_info.json", {"modelVersions": [version(sha256=ANYTHING)]}),
    ],
)
def test_a_claimed_hash(beside, suffix, content):
    beside.put(suffix, content)
    assert read_sidecars(beside.model).sha256 == (ANYTHING,)
    (fact,) = beside.evidence()
    assert (fact.id, fact.strength, fact.verdict) == ("sidecar-hash", PROBABLE, "nai-derived")
    assert suffix in fact.text and "Anything V3" in fact.text


def test_a_claimed_hash_of_a_stranger_and_of_a_vae(beside):
    beside.put(".metadata.json", lora_manager(sha256=SD15))
    assert [fact.verdict for fact in beside.evidence()] == ["not-nai"]
    listed = version()
    listed["files"].append({"name": "meina.vae.pt", "type": "VAE", "hashes": {"SHA256": ANYTHING}})
    beside.put(".metadata.json", listed)
    assert beside.evidence() == []


@pytest.mark.parametrize(
    "suffix, content",
    [
        (".civitai.info", version(description="merged from NAI and others")),
        (".civitai.info", version(model={"name": "Mix", "tags": ["anime", "novelai"]})),
        (".json", {"tags": ["AnythingV5"]}),
        (".txt", "Recipe: AbyssOrangeMix2 + Counterfeit"),
    ],
)
def test_texts_are_a_hint(beside, suffix, content):
    beside.put(suffix, content)
    (fact,) = beside.evidence()
    assert (fact.id, fact.strength, fact.verdict) == ("sidecar-text", HINT, "nai-derived") and suffix in fact.text


@pytest.mark.parametrize(
    "text", ["A NoobAI-XL merge with NAI styles", "NAI-XL", "nail art", "Renaissance", "nai3 look"]
)
def test_texts_that_are_none(beside, text):
    beside.put(".civitai.info", version(description=text))
    assert beside.evidence() == []


# --- anything --------------------------------------------------------------------------------------------------------

WORDS = (
    "images meta files hashes SHA256 civitai model modelVersions usage_tips clip_skip clipSkip description name tags"
)
KEYS = st.sampled_from([*WORDS.split(), "Clip skip", "sha256", "Hashes", "resources", "type", "Version", "notes"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("clip skip 2"),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(KEYS, children, max_size=6),
    max_leaves=25,
)
CONTENT = JSON.map(json.dumps).map(str.encode) | st.binary(max_size=80) | st.text().map(lambda t: t.encode("utf8"))
SUFFIXES = (".civitai.info", ".metadata.json", ".json", ".api_info.json", ".cm-info.json", ".yaml", ".txt", ".png")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(SUFFIXES), CONTENT, max_size=4), st.sampled_from(sorted(ARCHITECTURES)))
def test_never_raises_and_keeps_to_the_words(beside, files, architecture_id):
    for suffix in SUFFIXES:
        beside.model.with_name("meinamix.v11" + suffix).unlink(missing_ok=True)
    for suffix, content in files.items():
        beside.put(suffix, content)
    found = read_sidecars(beside.model)
    encoders = {encoder.id: encoder for encoder in ARCHITECTURES[architecture_id].encoders}
    for statement in found.skip_statements(architecture_id):
        assert all(1 <= skip <= encoders[id].trained_depth for id, skip in statement.skip.items())
        assert len(statement.text) < 400 and "\n" not in statement.text
    for fact in found.lineage_evidence():
        assert fact.strength in (PROBABLE, HINT) and len(fact.text) < 400


BOMBS = {
    "deep": b"[" * 1_000_000,
    "too long": b'{"clipSkip": 2, "images": []}' + b" " * MAX_BYTES,
    "long number": b'{"images": [], "clipSkip": ' + b"9" * 3_000_000 + b"}",
    "tags": b"<" * 2_000_000,
    "joints": b"clip skip" + b" to" * 500_000,
    "mentions": b"clip skip " * 300_000,
    "negations": b"not " * 500_000 + b"clip skip 2",
    "layers": b"cond_stage_config\n" + b" layer" * 300_000,
    "numbers": b"clip skip " + b"1/" * 500_000,
    "hidden": b"<!--<style " * 200_000,
    "latin": b"\xff\xfe" * 500_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_passed_over(beside, bomb):
    """So large that a reader whose time grows faster than its text would not come back."""
    for suffix in (".civitai.info", ".json", ".yaml", ".txt"):
        beside.put(suffix, BOMBS[bomb])
    beside.put(".metadata.json", {"description": BOMBS[bomb].decode("latin-1"), "usage_tips": "{}"})
    assert all(statement.skip in ({}, {"l": 1}, {"l": 2}) for statement in beside.statements())
    beside.evidence()


def test_a_name_that_is_no_path():
    assert sidecar_files("a\0b.safetensors") == {} and read_sidecars("a\0b.safetensors").skip_statements("sd1") == []
