"""The REST interface of a running WebUI. Where it asks for credentials they are in the address: http://me:secret@..."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
import requests

API = "/clip-skip/v1"
# Of no file: nobody has a preset there.
KEY = "0123456789abcdef" * 4


@pytest.fixture
def spare_key(webui):
    yield KEY
    requests.delete(f"{webui.url}{API}/presets/{KEY}", timeout=60)


def bare_url(url):
    """The address without the credentials, and whether it had some."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), parts.username is not None


def test_every_route_asks_for_what_the_hosts_own_api_asks_for(webui):
    url, secured = bare_url(webui.url)
    document = webui.get(f"{API}/schema")["openapi"]
    assert len(document["paths"]) == 9
    for given in (None, ("me", "wrong"), ("", "")):
        own = requests.get(f"{url}/sdapi/v1/options", auth=given, timeout=60).status_code
        assert (own == 401) == secured
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                assert bool(operation.get("security")) == secured
                reply = requests.request(method, url + path.replace("{key}", KEY), auth=given, timeout=60)
                assert (reply.status_code == 401) == secured, (method, path, reply.text[:200])
                assert reply.status_code < 500


def test_the_status_names_the_selected_model(webui):
    status = webui.get(f"{API}/status")
    assert status["enabled"] is True
    names = {model["model_name"] for model in webui.get("/sdapi/v1/sd-models")}
    assert any(name.endswith(status["model"]["name"]) for name in names)
    assert set(status["auto"]["skip"]) == {encoder["id"] for encoder in status["architecture"]["encoders"]}


def test_every_checkpoint_that_is_offered_can_be_inspected(webui):
    for title, architecture in webui.checkpoints.items():
        reply = requests.get(f"{webui.url}{API}/inspect", params={"model": title}, timeout=120)
        assert reply.status_code == 200, (title, reply.text[:200])
        facts = reply.json()
        assert (facts["architecture"], facts["error"]) == (architecture.id, None), title
        assert "/" not in facts["file"]


def advice(webui, model, options):
    query = {"model": model, "options": json.dumps(options)}
    reply = requests.get(f"{webui.url}{API}/advice", params=query, timeout=120)
    assert reply.status_code == 200, reply.text[:200]
    return reply.json()


def test_every_checkpoint_is_judged_by_what_it_is(webui):
    """What is saved for a model, and what its file says of its descent, is its own: only what both leave is asked."""
    for title, architecture in webui.checkpoints.items():
        at_1 = {each["id"] for each in advice(webui, title, {"skip": 1})}
        at_2 = {each["id"]: each for each in advice(webui, title, {"skip": 2})}
        assert at_1 <= ({"nai-below"} if architecture.id == "sd1" else set()), title
        if architecture.id == "sd1":
            assert set(at_2) <= {"not-nai", "nai-unverified"}, title
        elif architecture.encoders:
            assert set(at_2) == {"off-trained"}, title
            assert bool(at_2["off-trained"]["also"]) == (architecture.id == "sdxl")
            used = at_2["off-trained"]["actions"][0]
            assert (used["id"], set(used["skip"].values())) == ("use", {1}), title
        else:
            assert set(at_2) <= {"no-effect"}, title
        (refused,) = advice(webui, title, {"skip": 99})
        assert refused["id"] == "bad-value" and refused["reason"].startswith("skip 99 was refused")
        own = requests.get(f"{webui.url}{API}/advice", params={"model": title}, timeout=120)
        assert own.status_code == 200 and isinstance(own.json(), list)


@pytest.mark.parametrize(
    "model", ["/etc/passwd", "../../config.json", "", "None", "huggingface/a/b", "https://huggingface.co/a/b", "a/b"]
)
def test_no_model_but_the_hosts_own_is_opened(webui, model):
    for path in ("inspect", "advice"):
        reply = requests.get(f"{webui.url}{API}/{path}", params={"model": model}, timeout=60)
        assert (reply.status_code, "there is no model" in reply.json()["detail"]) == (404, True)


def test_a_preset_is_saved_read_and_deleted(webui, spare_key):
    address = f"{webui.url}{API}/presets/{spare_key}"
    preset = {"name": "live test", "skip": {"l": 1.5}, "note": "\u202e</script>", "more": [1]}
    for method, status, answer in (
        ("PUT", 200, preset),
        ("GET", 200, preset),
        ("DELETE", 204, None),
        ("GET", 404, ...),
    ):
        reply = requests.request(method, address, json=preset if method == "PUT" else None, timeout=60)
        assert reply.status_code == status, reply.text[:200]
        if answer is not ...:
            assert (reply.json() if reply.content else None) == answer
    assert spare_key not in webui.get(f"{API}/presets")


@pytest.mark.parametrize(
    "body, status",
    [(b'{"skip": {"l": 99}}', 422), (b"\xff", 400), (b"[" * 100_000, 400), (b'"' + b"x" * (10 << 20) + b'"', 413)],
    ids=["number", "encoding", "depth", "size"],
)
def test_a_bad_preset_is_refused(webui, spare_key, body, status):
    address = f"{webui.url}{API}/presets/{spare_key}"
    reply = requests.put(address, data=body, headers={"content-type": "application/json"}, timeout=60)
    assert reply.status_code == status and reply.json()["detail"]
    assert spare_key not in webui.get(f"{API}/presets")
