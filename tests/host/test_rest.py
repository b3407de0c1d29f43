"""The REST interface in each host, over HTTP. What is asked of a running server by its schema is in tests/rest."""

from __future__ import annotations

import errno
import json

import pytest
from filelock import FileLock

from clip_skip.interfaces.rest import openapi
from clip_skip.models.presets.preset import FIELDS

API = "/clip-skip/v1"
KEY = "name:pony"
PONY = {"skip": {"l": 2, "g": 1.5}, "blend": "slerp", "note": "soft", "of another version": [1, {"a": None}]}
JSON = {"content-type": "application/json"}


def nested(levels):
    """The text of a presets file with a value that is so deep."""
    return '{"schema": 1, "presets": {"name:a": {"x": ' + "[" * levels + "]" * levels + "}}}"


@pytest.fixture
def file(host):
    """The presets file; there is none before the test and none after."""
    path = host.data / "clip-skip" / "presets.json"
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def ask(host, file):
    """Ask for `API + path`; gives the status and the JSON value."""

    def ask(method, path, **kwargs):
        reply = host.http(method, API + path, **kwargs)
        return reply.status_code, reply.json() if reply.content else None

    return ask


def put(ask, raw, key=KEY):
    return ask("PUT", f"/presets/{key}", json=raw)


def test_a_preset_is_saved_read_listed_exported_and_deleted(ask, file):
    saved = {**PONY, "name": "pony"}
    assert put(ask, PONY) == (200, saved)
    assert ask("GET", f"/presets/{KEY}") == (200, saved)
    assert ask("GET", "/presets") == (200, {KEY: saved})
    assert ask("GET", "/presets/export") == (200, {"schema": 1, "presets": {KEY: saved}})
    assert json.loads(file.read_text())["presets"] == {KEY: saved}
    assert ask("DELETE", f"/presets/{KEY}") == (204, None)
    assert ask("GET", "/presets") == (200, {})
    for method in ("GET", "DELETE"):
        assert ask(method, f"/presets/{KEY}") == (404, {"detail": 'there is no preset "name:pony"'})


def test_a_key_may_be_written_as_people_write_it(ask):
    put(ask, {}, "A" * 64)
    put(ask, {}, "name:pony.safetensors")
    assert set(ask("GET", "/presets")[1]) == {"a" * 64, KEY}


@pytest.mark.parametrize(
    "body, status, said",
    [
        (b'{"skip": {"l": 99}}', 422, "skip.l 99 was refused, accepted is a number from 1 to 12"),
        (b'{"skip": {"l": true}}', 422, "skip.l True was refused"),
        (b'{"skip": [], "blend": "x"}', 422, "blend"),
        (b'{"lineage": "nai"}', 422, "nai-derived"),
        (b'{"silenced": [1]}', 422, "a list of advice ids"),
        (b"[1]", 422, "preset a list was refused"),
        (b"null", 422, "preset None was refused"),
        (b'{"x": NaN}', 422, "not finite"),
        (b'{"x": [1e999]}', 422, "not finite"),
        (b'{"x": ' + b"[" * 40 + b"]" * 40 + b"}", 422, "deeper than 32 levels"),
        (b"[" * 500_000, 400, "no JSON"),
        (b'{"x": ' + b"9" * 100_000 + b"}", 400, "no JSON"),
        (b'{"note": "\xff"}', 400, "no JSON"),
        (b"", 400, "no JSON"),
        (b'{"note": "' + b"x" * (10 << 20) + b'"}', 413, "larger than 1048576 bytes"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_bad_preset_is_refused_and_nothing_is_saved(ask, file, body, status, said):
    answered, value = ask("PUT", f"/presets/{KEY}", content=body, headers=JSON)
    assert (answered, said in value["detail"]) == (status, True), value
    assert len(value["detail"]) < 300
    assert not file.exists()


def test_text_that_json_can_only_escape_comes_back_as_it_was(ask):
    note = {"note": "\0\x1b[2J\u202e</script>", "x": "\ud800"}
    body = json.dumps(note)
    assert ask("PUT", f"/presets/{KEY}", content=body, headers=JSON) == (200, {"name": "pony", **note})
    assert ask("GET", f"/presets/{KEY}") == (200, {"name": "pony", **note})


def test_fields_that_are_not_named_are_kept_and_null_takes_one_away(ask):
    full = {"skip": {"l": 2, "g": 3}, "note": "precious", "lineage": "not-nai", "silenced": ["too-deep"], "custom": 5}
    put(ask, full)
    now = {**full, "name": "pony", "skip": {"l": 1}}
    assert put(ask, {"skip": {"l": 1}}) == (200, now) and ask("GET", f"/presets/{KEY}")[1] == now
    assert put(ask, {}) == (200, now)
    del now["note"], now["lineage"]
    assert put(ask, {"note": None, "lineage": None, "custom": 6}) == (200, {**now, "custom": 6})


@pytest.mark.parametrize(
    "key", ["pony", "a" * 63, "name:", "name:a%00b", "name:a/b/c", "name:..%5Cx", "name:" + "x" * 256, "import", "%FF"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_no_key_is_refused(ask, file, method, key):
    status, value = ask(method, f"/presets/{key}", **({"json": {}} if method == "PUT" else {}))
    assert (status, "is no key of a preset" in value["detail"]) == (422, True)
    assert not file.exists()


@pytest.mark.parametrize("key", ["name:..%2F..%2Fetc%2Fpasswd", "..%2F..%2Fconfig.json", "name:/a", "name:a/", "a/b"])
def test_a_path_is_no_key(ask, file, key):
    assert put(ask, {}, key)[0] == 422
    assert not file.exists()


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_foreign_page_can_send_is_refused(ask, file, kind):
    """A browser sends these types anywhere without asking first, with the credentials it knows."""
    body = json.dumps({"text": json.dumps({"schema": 1, "presets": {KEY: PONY}})})
    headers = {"content-type": kind} if kind else {}
    assert ask("POST", "/presets/import", content=body, headers=headers)[0] == 415
    assert not file.exists()


def test_an_import_says_what_it_changes_and_a_dry_run_changes_nothing(ask):
    put(ask, {"skip": {"l": 2}, "note": "mine"})
    text = json.dumps(
        {"schema": 1, "presets": {KEY: {"skip": {"l": 3}}, "b" * 64: PONY, "x": {}, "name:y": {"skip": 1}}}
    )
    before = {"name": "pony", "skip": {"l": 2}, "note": "mine"}
    after = {**before, "skip": {"l": 3}}
    for dry_run, saved, now in ((True, 0, {KEY: before}), (False, 2, {KEY: after, "b" * 64: PONY})):
        status, value = ask("POST", "/presets/import", json={"text": text, "dry_run": dry_run})
        changes = {change["source"].strip('"'): change for change in value["changes"]}
        assert (status, value["saved"], len(changes)) == (200, saved, 4)
        assert (changes[KEY]["before"], changes[KEY]["after"], changes[KEY]["refused"]) == (before, after, "")
        assert changes["x"]["after"] is None and "SHA-256" in changes["x"]["refused"]
        assert changes["name:y"]["after"] is None and "skip 1 was refused" in changes["name:y"]["refused"]
        assert ask("GET", "/presets")[1] == now


def test_importing_an_export_gives_the_same_presets(ask, file):
    put(ask, PONY)
    put(ask, {"lineage": "not-nai", "silenced": ["not-nai"]}, "c" * 64)
    exported = ask("GET", "/presets/export")[1]
    file.unlink()
    assert ask("POST", "/presets/import", json={"text": json.dumps(exported)})[1]["saved"] == 2
    assert ask("GET", "/presets/export")[1] == exported


def test_another_programs_text_finds_the_hosts_own_model(ask):
    infotext = "a cat\nSteps: 2, Model: sd1-a, Clip skip: 2"
    status, value = ask("POST", "/presets/import", json={"text": infotext, "dry_run": True})
    assert (status, value["changes"][0]["after"]["skip"]) == (200, {"l": 2})
    assert value["changes"][0]["key"] == ask("GET", "/status")[1]["model"]["key"]


def test_a_name_is_not_believed_against_the_texts_own_hash(host, ask):
    model = ask("GET", "/status")[1]["model"]
    sha256 = model["sha256"]
    if sha256 is None:  # nothing contradicts the text's hash
        assert [each["key"] for each in _imported(ask, "Model hash: deadbeef00, Model: sd1-a")] == [model["key"]]
        return
    for told, refused in (
        ("Model hash: deadbeef00, Model: sd1-a", f"another file here, whose SHA-256 begins with {sha256[:10]}"),
        ("Model hash: deadbeef00", "by a hash that is not known here"),
    ):
        (change,) = _imported(ask, told)
        assert change["after"] is None and refused in change["refused"]
    for told in (f"Model hash: {sha256[:10]}, Model: renamed", f"Model hash: {sha256[:10]}", "Model: sd1-a"):
        assert [change["key"] for change in _imported(ask, told)] == [sha256]


def test_an_old_hash_of_eight_digits_tells_no_model(host, ask):
    if host.like == "sdnext":  # which has no such hash
        return
    models = host.module("sd_models")
    old = models.get_closet_checkpoint_match("sd1-a").hash
    assert models.checkpoint_aliases[old].hash == old  # as the host would find it
    (change,) = _imported(ask, f"Model hash: {old}")
    assert change["after"] is None and "not known here" in change["refused"]
    model = ask("GET", "/status")[1]["model"]
    assert [change["key"] for change in _imported(ask, f"Model hash: {old}, Model: sd1-a")] == [model["key"]]


def _imported(ask, told):
    text = f"a cat\nSteps: 2, {told}, Clip skip: 2"
    return ask("POST", "/presets/import", json={"text": text, "dry_run": True})[1]["changes"]


def test_a_name_may_have_a_folder(ask):
    key = "name:SD/pony"
    assert put(ask, PONY, key)[0] == 200
    assert ask("GET", f"/presets/{key}")[1] == ask("GET", "/presets/name:SD%2Fpony")[1] == {**PONY, "name": "SD/pony"}
    assert ask("DELETE", f"/presets/{key}")[0] == 204


@pytest.mark.parametrize(
    "body, said",
    [
        ({}, "text"),
        ({"text": 1}, "text 1 was refused"),
        ({"text": "as trained"}, "nothing in it names a clip skip"),
        ({"text": "{}", "dryrun": True}, '"dryrun" is no field of an import'),
        ({"text": "{}", "dry_run": "no"}, 'dry_run "no" was refused'),
        ({"text": "{}", "filename": 1}, "filename"),
        ([], "a list"),
        ({"text": '{"schema": 2, "presets": {}}'}, "newer version"),
        ({"text": '{"presets": {"name:a": {"x": Infinity}}}'}, "not finite"),
        ({"text": nested(50)}, "deeper than 32 levels"),
        ({"text": nested(9000)}, "nothing in it"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_import_is_refused_and_nothing_is_saved(ask, file, body, said):
    status, value = ask("POST", "/presets/import", json=body)
    assert (status, said in value["detail"]) == (422, True), value
    assert not file.exists()


def test_the_status_tells_the_selected_model_and_what_auto_uses(host, ask):
    assert ask("GET", "/status")[1]["auto"] == {
        "skip": {"l": 1},
        "blend": "linear",
        "source": "trained",
        "text": "as trained",
    }
    model = ask("GET", "/status")[1]["model"]
    put(ask, {"skip": {"l": 1.5}, "blend": "slerp"}, model["key"])
    status, value = ask("GET", "/status")
    assert (status, value["enabled"], value["problems"]) == (200, True, [])
    assert (model["name"], value["architecture"]["id"]) == ("sd1-a", "sd1")
    assert value["architecture"]["encoders"][0]["trained_depth"] == 12
    assert (value["auto"]["skip"], value["auto"]["blend"], value["auto"]["source"]) == ({"l": 1.5}, "slerp", "preset")


def test_the_status_tells_what_is_wrong_with_the_presets(ask, file):
    file.parent.mkdir(exist_ok=True)
    file.write_text("{")
    (problem,) = ask("GET", "/status")[1]["problems"]
    assert "can't be read" in problem


def test_a_model_is_found_by_every_name_that_the_host_lists_it_under(host, ask):
    for listed in host.http("GET", "/sdapi/v1/sd-models").json():
        names = [listed["title"], listed["model_name"], *([listed["sha256"]] if listed["sha256"] else [])]
        facts = [ask("GET", "/inspect", params={"model": name}) for name in names]
        assert facts[0][0] == 200
        assert facts == facts[:1] * len(names), names
        assert facts[0][1]["error"] is None
        assert "/" not in facts[0][1]["file"] and str(host.data) not in json.dumps(facts[0][1])
    assert ask("GET", "/inspect")[1] == ask("GET", "/inspect", params={"model": "sd1-a"})[1]


def test_no_model_but_the_hosts_own_is_opened(host, ask, tmp_path, monkeypatch):
    """SD.Next's own search takes paths and addresses, that of the others parts of names."""
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(b"\0" * 64)
    opened = []
    monkeypatch.setattr("clip_skip.models.inspect.inspector.inspect", lambda *args, **_: opened.append(args))
    models = ["", "sd1", "nothing", str(outside), "../outside.safetensors", "..", "/etc/passwd", "a\0b", "None"]
    for model in [*models, "huggingface/a/b", "https://huggingface.co/a/b", "a/b"]:
        for path in ("/inspect", "/advice"):
            status, value = ask("GET", path, params={"model": model})
            assert (status, "there is no model" in value["detail"]) == (404, True), model
    assert opened == []


def test_a_model_whose_file_is_gone_is_told_without_its_folder(host, ask, monkeypatch):
    from clip_skip.models.inspect.inspector import Inspector

    real = Inspector.inspect
    monkeypatch.setattr(Inspector, "inspect", lambda self, path, **kwargs: real(self, path + ".gone", **kwargs))
    monkeypatch.setattr(Inspector, "recall", lambda *_, **__: None)  # nor is it remembered
    status, value = ask("GET", "/inspect", params={"model": "sd1-a"})
    assert (status, "No such file" in value["error"], str(host.data) in json.dumps(value)) == (200, True, False)


@pytest.mark.parametrize(
    "options, said",
    [
        ("{}", []),
        ('{"l": 1}', []),
        ('{"l": 99}', ["l 99"]),
        ('{"g": 99, "x": 1}', ["g 99", "option x"]),
        ("[", ["options ["]),
        ("[" * 9000, ["options ["]),
        ('{"l": NaN}', ["l nan"]),
        ('{"l": 12, "model": "/etc/passwd"}', ["option model"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_advice_names_each_option_that_is_refused(ask, options, said):
    status, value = ask("GET", "/advice", params={"model": "sd1-a", "options": options})
    assert status == 200 and [advice["id"] for advice in value] == ["bad-value"] * len(said)
    for words, advice in zip(said, value, strict=True):
        assert advice["text"] == "A value was refused, and the model is read as it was trained."
        assert advice["reason"].startswith(f"{words}") and len(advice["reason"]) < 300
        assert (advice["severity"], advice["actions"], advice["also"]) == ("error", [], [])


def test_advice_knows_the_models_own_limits(ask):
    query = {"model": "sdxl-a", "options": '{"l": 12}'}
    (advice,) = ask("GET", "/advice", params=query)[1]
    assert advice["reason"] == "CLIP-L 12 was refused, accepted is a number from 1 to 11 on SDXL."


USE_1 = {"id": "use", "label": "Use 1", "skip": {"l": 1}}
OTHERS = [
    {"id": "nai-derived", "label": "This model is NAI-derived", "skip": {}},
    {"id": "silence", "label": "Don't tell me again for this model", "skip": {}},
]
NOT_NAI = {
    "id": "not-nai",
    "severity": "warning",
    "text": "Clip skip 2 is for SD 1.x models that descend from NovelAI's. This one does not.",
    "reason": "You marked it as not NAI-derived.",
    "actions": [USE_1, *OTHERS],
    "also": [],
}


def test_advice_on_a_marked_model_and_options(host, ask):
    def advice(options):
        status, value = ask("GET", "/advice", params={"model": "sd1-a", "options": json.dumps(options)})
        assert status == 200
        return value

    (unverified,) = advice({"l": 2})
    assert (unverified["id"], unverified["severity"]) == ("nai-unverified", "caution")
    key = ask("GET", "/status")[1]["model"]["key"]
    put(ask, {"lineage": "not-nai"}, key)
    assert advice({"l": 2}) == advice({"skip": 1.5}) == [NOT_NAI]
    assert advice({"l": 1.4}) == advice({"mode": "auto"}) == []
    assert [each["id"] for each in advice({"l": 6})] == ["not-nai", "too-deep"]
    put(ask, {"lineage": "not-nai", "skip": {"l": 2}}, key)
    assert advice({"mode": "auto"}) == [NOT_NAI]  # Auto uses the preset
    put(ask, {"lineage": "not-nai", "silenced": ["not-nai", "bad-value"]}, key)
    assert advice({"l": 2}) == []
    assert [each["id"] for each in advice({"l": 99})] == ["bad-value"]
    put(ask, {"lineage": "nai-derived"}, key)
    assert advice({"l": 2}) == []
    assert [each["id"] for each in advice({"l": 1})] == ["nai-below"]


def test_advice_on_sdxl_tells_how_cards_count(ask):
    (advice,) = ask("GET", "/advice", params={"model": "sdxl-a", "options": '{"l": 2}'})[1]
    assert (advice["id"], advice["severity"], advice["also"]) == ("off-trained", "warning", ["other-numbering"])
    assert advice["reason"] == (
        'CLIP-L: layers left out: 1 of 11. A model page that says "clip skip 2" or "-2" means 1 here.'
    )
    use = {"id": "use", "label": "Use 1", "skip": {"l": 1, "g": 1}}
    assert advice["actions"] == [use, OTHERS[1]]


def test_advice_without_options_is_on_the_hosts_own_slider(host, ask):
    """SD.Next keeps its number in each job: its answer is on the 1 that a job has where nobody says another."""

    def ids(model="sd1-a"):
        return [advice["id"] for advice in ask("GET", "/advice", params={"model": model})[1]]

    put(ask, {"lineage": "not-nai"}, ask("GET", "/status")[1]["model"]["key"])
    assert ids() == []
    assert ids("sd3") == (["past-trained"] if host.like == "forge" else [])
    if host.like == "sdnext":
        return
    host.opts.data["CLIP_stop_at_last_layers"] = 2
    try:
        assert ask("GET", "/advice", params={"model": "sd1-a"}) == (200, [NOT_NAI])
        assert ids("sdxl-a") == ids("sd3") == []  # where Pony's card is right, and what reads SD 3 as trained in Forge
        assert ids("sd2") == (["off-trained"] if host.like == "forge" else [])
        assert ids("flux") == ["no-effect"]
        host.opts.data["CLIP_stop_at_last_layers"] = 3
        assert ids("sdxl-a") == (["off-trained"] if host.like == "forge" else ["no-effect"])
    finally:
        del host.opts.data["CLIP_stop_at_last_layers"]


def test_a_file_of_a_newer_version_is_not_changed(ask, file):
    file.parent.mkdir(exist_ok=True)
    newer = {"schema": 2, "presets": {KEY: {"skip": {"l": 2}}}}
    file.write_text(json.dumps(newer))
    requests = [("PUT", f"/presets/{KEY}", {}), ("POST", "/presets/import", {"text": '{"presets": {"name:a": {}}}'})]
    for method, path, body in [*requests, ("DELETE", f"/presets/{KEY}", None)]:
        status, value = ask(method, path, json=body)
        assert (status, "newer version" in value["detail"]) == (409, True)
    assert json.loads(file.read_text()) == newer
    assert ask("GET", f"/presets/{KEY}") == (200, {"skip": {"l": 2}})


@pytest.mark.parametrize("number, status", [(errno.ENOSPC, 507), (errno.EACCES, 503), (errno.EIO, 503)])
def test_a_disk_that_fails_is_named(ask, monkeypatch, number, status):
    def fails(*_):
        raise OSError(number, "the disk says no")

    monkeypatch.setattr("clip_skip.models.presets.store.replace_file", fails)
    answered, value = put(ask, PONY)
    assert (answered, "the disk says no" in value["detail"]) == (status, True)


def test_a_locked_file_is_named(ask, file, monkeypatch):
    monkeypatch.setattr("clip_skip.models.presets.store._LOCK_SECONDS", 0.05)
    file.parent.mkdir(exist_ok=True)
    with FileLock(f"{file.resolve()}.lock"):
        status, value = put(ask, PONY)
    assert (status, "locked by another process" in value["detail"]) == (503, True)


def test_what_a_hand_wrote_into_the_file_is_answered_as_json(ask, file):
    file.parent.mkdir(exist_ok=True)
    file.write_text('{"schema": 1, "presets": {"name:a": {"x": NaN, "y": 1e999}, "name:b": 5, "no key": {}}}')
    assert ask("GET", "/presets") == (200, {"name:a": {"x": None, "y": None}, "name:b": {"was": 5}})
    assert ask("GET", "/presets/name:a") == (200, {"x": None, "y": None})
    assert ask("GET", "/presets/export")[0] == 200
    file.write_text(nested(900))
    assert ask("GET", "/presets")[0] in (200, 422)


def test_the_schema_describes_every_option_setting_and_field(host, ask):
    status, value = ask("GET", "/schema")
    assert status == 200 and value["version"] == ask("GET", "/version")[1]["version"]
    assert [parameter["name"] for parameter in value["parameters"]] == ["mode", "skip", "l", "g", "h", "blend"]
    assert {"sd1", "sdxl", "sd3", "flux"} <= {architecture["id"] for architecture in value["architectures"]}
    assert all(key.startswith("clip_skip_ext_") for key in (setting["key"] for setting in value["settings"]))
    assert set(value["preset"]["properties"]) == set(FIELDS)
    assert set(openapi.IMPORT["properties"]) == {"text", "filename", "dry_run"}


def test_the_hosts_own_documentation_has_the_routes_as_ours_has(host, ask):
    paths = host.app.openapi()["paths"]
    for path, methods in ask("GET", "/schema")[1]["openapi"]["paths"].items():
        for method, operation in methods.items():
            own = paths[path][method]
            assert {name: own[name] for name in operation if name != "responses"} == {
                name: value for name, value in operation.items() if name != "responses"
            }
            assert set(operation["responses"]) <= set(own["responses"])
