"""The table of known files, and the names that are a hint."""

import json
import re

import pytest

from clip_skip.models.inspect.evidence.evidence import Verdict
from clip_skip.models.inspect.evidence.known import TABLE, by_file_name, by_name, lookup, lookup_legacy

ANIMEFULL = "89d59c3dde4c56c6d5c41da34cc55ce479d93b4007046980934b14db71bdb2a8"


@pytest.mark.parametrize(
    "sha256, name, lineage, skips, reference",
    [
        (ANIMEFULL, "animefull-final-pruned.ckpt", "nai", (2,), "nai"),
        ("22fa233c2dfd7748d534be603345cb9abf994a23244dfdfc1013f4f90322feca", "animesfw", "nai", (2,), None),
        ("3ce8b307af844c1d77eade3dec43213749cfa2e7331e0858bc40bb97f8f99454", "v1-full", "nai", (2,), "nai"),
        ("ca7070bef48fb1f9b93dca3e49bb38f596199b77e99a5ccd783f98a954f7b0df", "v1-curated", "nai", (2,), None),
        ("543bcbc21294831c6245cd74c8a7707761e28812c690f946cb81fef930d54b5e", "Anything V3", "nai-derived", (), None),
        ("6bb3a5a3b1eadd32dfbc8f0987559c48cb4177aee7582baa6d6a25181929b345", "AbyssOrange", "nai-derived", (1,), None),
        ("d124fc18f0232d7f0a2a70358cdb1288af9e1ee8596200f50f0936be59514f6d", "AOM3", "nai-derived", (1, 2), None),
        ("cc6cb27103417325ff94f52b7a5d2dde45a7515b25c255d8e396c90014281516", "v1-5", "not-nai", (), "sd1.5"),
        ("6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa", "v1-5", "not-nai", (), "sd1.5"),
        # Its UNet is not the one that emaonly holds.
        ("e1441589a6f3c5a53f5f54d0975a18a7feb7cdf0b0dee276dfc3331ae376a053", "v1-5-pruned.ckpt", "not-nai", (), None),
        ("fe4efff1e174c627256e44ec2991ba279b3816e364b49f9be2abc0b3ff3f8556", "sd-v1-4", "not-nai", (), "sd1.4"),
        ("9dade826203c7ee369881b5dc20d34298fa644c1f137568e09fbc4b9a0d3e817", "Waifu", "not-nai", (), "wd1.3"),
    ],
)
def test_files(sha256, name, lineage, skips, reference):
    known = lookup(sha256.upper())
    assert known == lookup(sha256)
    assert name in known.name
    assert (known.lineage, known.skips, known.reference) == (lineage, skips, reference)


@pytest.mark.parametrize("sha256", ["", "0" * 64, ANIMEFULL[:10], ANIMEFULL[:-1], ANIMEFULL + "0"])
def test_any_other_hash_is_not_known(sha256):
    assert lookup(sha256) is None


def test_the_table_is_sound():
    table = json.loads(TABLE.read_text(encoding="utf8"))
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in table["models"])
    assert all(re.fullmatch("[0-9a-f]{8}", hash8) for hash8 in table["legacy"])
    models = [lookup(sha256) for sha256 in table["models"]]
    assert {model.lineage for model in models} <= set(Verdict) - {"unknown"}
    assert all(model.name and model.why for model in models)
    assert all(1 <= skip <= 12 for model in models for skip in model.skips)
    # Whatever holds NovelAI's own model recommends its own skip, and only full models are the reference.
    assert all(model.skips == (2,) for model in models if model.lineage == "nai")
    assert sum(model.reference == "nai" for model in models) == 10
    assert all("full" in model.name and model.lineage == "nai" for model in models if model.reference == "nai")


def test_short_hashes():
    assert lookup_legacy("925997E9") == ("animefull-final-pruned", "nai")
    assert lookup_legacy("2700c435").lineage == "nai-derived"
    assert lookup_legacy("deadbeef") is lookup_legacy("") is None


@pytest.mark.parametrize(
    "text, lineage",
    [
        ("animefull-final-pruned-fp16.safetensors", "nai"),
        ("animefinal-full-pruned.ckpt", "nai"),
        ("Animefull-final-pruned.ckpt", "nai"),
        ("models/animesfw-latest.ckpt", "nai"),
        ("nai-anime-v1-full.safetensors", "nai"),
        ("Anything-V3.0-pruned-fp32.ckpt", "nai-derived"),
        ("anythingV3_fp16.ckpt", "nai-derived"),
        ("anything-v4.5.safetensors", "nai-derived"),
        ("AnythingV5Ink_ink.safetensors", "nai-derived"),
        ("AbyssOrangeMix2_sfw.safetensors", "nai-derived"),
        ("abyssorangemix3AOM3_aom3a1b.safetensors", "nai-derived"),
        ("AOM3A1B_orangemixs", "nai-derived"),
        ("nai.ckpt", "nai-derived"),
        ("my_NAI_mix.safetensors", "nai-derived"),
        ("merged with NovelAI's model", "nai-derived"),
    ],
)
def test_names_that_are_a_hint(text, lineage):
    found = by_name(text)
    assert found.lineage == lineage and found.name in text


@pytest.mark.parametrize(
    "text",
    [
        "noobaiXLNAIXL_epsilonPred10Version.safetensors",
        "NoobAI-XL-v1.1.safetensors",
        "noob_ai_vpred",
        "naixl.safetensors",
        "nai-xl-merge",
        "NAI XL",
        "nai3_style.safetensors",
        "nai_v3_artists",
        "NAIv4 look",
        "NAI Diffusion Anime V3",
        "novelai-v4-style",
        "novelai diffusion 3",
        "based on NAI, merged into NoobAI",
        "nail_art_v2",
        "renaissance-diffusion",
        "naive",
        "finai.ckpt",
        "anything-goes-v2",
        "aom13",
        "blaom2",
        "orange.ckpt",
        "v1-5-pruned-emaonly.safetensors",
        "",
    ],
)
def test_names_that_are_none(text):
    assert by_name(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "I use the orangemix VAE",
        "Recommended VAE: Anything V3",
        "vae from NAI",
        "orangemix.vae.pt",
        "Use the included VAE (NAI).",
        "VAE: animevae, anything-v4.0",
        "Embedded VAE (A3 / NAI I believe)",
        "It comes with a baked VAE, being orangemix",
        "NAI leak free merge",
        "This is not based on NAI",
        "non-NAI model",
        "NAI-free merge",
        "free of NAI",
        "a merge without AnythingV3",
        "It isn't NAI",
        "not_nai_mix.safetensors",
        "不使用NAI",
        "NAI is not included",
        "NAI was removed",
        "NAI-less, 0% NAI, zero NAI",
        "NAI不使用",
        "NAIなし",
        "非NAI",
        "NAIは使っていません",
        "made for the novelai-webui-aki-v3 package",
        "VAEs:\n- Anything V3\n- orangemix",
        "[VAE] Anything-V3.0",
        r"E:\NOVELAI\stable-diffusion-webui\photo_8.safetensors",
        "D:/novelai-webui-aki-v3/models/photo.ckpt",
        "NAI\uff0fphoto_8.safetensors",
        "Bu model NAI içermez",
        "NAI kullan\u0131lmad\u0131",
        "NAI 미사용",
        "無NAI成分",
        "脱NAI",
        "NAI抜き",
        "clean of NAI",
        "excluding NAI",
        "an alternative to NAI",
        "compatible with NAI LoRAs",
        "use any VAE, e.g. Anything V3's",
        "orange mixer",
    ],
)
def test_a_vae_a_not_and_a_folder_are_no_descent(text):
    assert by_name(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "This is not for beginners. Merged from NAI",
        "No VAE needed, it is a merge of NAI",
        "VAE: orangemix, merged with NAI",
        "orangemix VAE; made of Anything V3",
        "Baked VAE, based on NAI",
        "VAE: any, merged with Anything V3",
        "NAI-based and not for beginners",
        "NAI with no refiner",
        "Not only NAI but also SD 1.5",
        "It is no secret that it has NAI in it",
    ],
)
def test_a_not_and_a_vae_reach_no_further_than_their_clause(text):
    assert by_name(text).lineage == "nai-derived"


@pytest.mark.parametrize(
    "path, found",
    [("NAI/photo.ckpt", False), ("photo\\nai.ckpt", True), ("a/nai/", True), ("NAI\uff0fphoto.ckpt", False)],
)
def test_of_a_path_the_last_part_tells(path, found):
    assert (by_file_name(path) is not None) == found
