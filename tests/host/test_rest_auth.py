"""Who may use the REST interface, and where it is. Boots hosts of its own."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from clip_skip.advice.advisor import Advisor
from clip_skip.hosts.unknown import UnknownHost
from clip_skip.interfaces.rest import routes
from clip_skip.models.library import Library

from .conftest import LIKES

FLAGS = {"a1111": "--api-auth", "forge": "--api-auth", "sdnext": "--auth"}
OWN = "/sdapi/v1/options"


def ours(host):
    """(method, path) of each of our routes in the host's application, as often as it is there."""
    return [(m, r.path) for r in host.app.routes if routes.PREFIX in getattr(r, "path", "") for m in r.methods]


@pytest.mark.parametrize("like", LIKES)
def test_every_route_asks_for_what_the_hosts_own_api_asks_for(boot, like):
    host = boot(like, argv=[FLAGS[like], "me:se:cret,you:b"])
    assert len(ours(host)) == len(routes.ROUTES)
    given = [None, ("me", "se"), ("me", "se:cre"), ("you", "se:cret"), ("", ""), ("me", "se:cret"), ("you", "b")]
    allowed = []
    for credentials in given:
        own = host.http("GET", OWN, auth=credentials).status_code
        allowed.append(own)
        for method, path in ours(host):
            reply = host.http(method, path.replace("{key}", "name:pony"), auth=credentials, content=b"")
            assert (reply.status_code == 401) == (own == 401), (method, path, credentials)
            if own == 401:
                assert reply.headers["www-authenticate"] == "Basic"
    assert allowed == [401] * 5 + [200] * 2
    document = host.http("GET", f"{routes.PREFIX}/schema", auth=("you", "b")).json()["openapi"]
    assert all(operation["security"] for methods in document["paths"].values() for operation in methods.values())


@pytest.mark.parametrize("like", LIKES)
def test_a_body_is_read_only_for_who_is_let_in(boot, like, monkeypatch):
    host = boot(like, argv=[FLAGS[like], "me:secret"])
    read = []
    monkeypatch.setattr("clip_skip.interfaces.rest.routes._parse", lambda *args: read.append(args))
    reply = host.http("PUT", f"{routes.PREFIX}/presets/name:a", json={"skip": {"l": 2}})
    assert (reply.status_code, read) == (401, [])


@pytest.mark.parametrize("like", ["a1111", "forge"])
def test_it_is_there_without_the_page(boot, like):
    host = boot(like, argv=["--nowebui", "--api-auth", "me:secret"])
    assert host.demo is None and host.errors == []
    assert host.http("GET", f"{routes.PREFIX}/status").status_code == 401
    assert host.http("GET", f"{routes.PREFIX}/status", auth=("me", "secret")).json()["model"]["name"] == "sd1-a"


@pytest.mark.parametrize("like", LIKES)
def test_reload_ui_leaves_each_route_once(boot, like):
    host = boot(like)
    before = ours(host)
    host.reload_ui()
    assert ours(host) == before and len(set(before)) == len(before) == len(routes.ROUTES)
    host.module("script_callbacks").app_started_callback(host.demo, host.app)  # a host that keeps its application
    assert ours(host) == before
    assert host.http("GET", f"{routes.PREFIX}/status").status_code == 200
    assert host.errors == []


def test_where_the_host_has_no_api_there_is_none_of_ours(tmp_path):
    app = FastAPI()
    before = list(app.routes)
    routes.mount(app, UnknownHost(), Library(tmp_path), Advisor(UnknownHost(), Library(tmp_path)), lambda: False)
    assert app.routes == before


def test_under_a_subpath_too_where_the_hosts_api_is(tmp_path):
    """SD.Next with --subpath has each of its routes twice."""
    app = FastAPI()
    for root in ("/sub", ""):
        app.add_api_route(root + OWN, lambda: {}, methods=["GET"])
    routes.mount(app, UnknownHost(), Library(tmp_path), Advisor(UnknownHost(), Library(tmp_path)), lambda: False)
    paths = [route.path for route in app.routes]
    assert paths.count(f"/sub{routes.PREFIX}/status") == paths.count(f"{routes.PREFIX}/status") == 1
    assert len([path for path in app.openapi()["paths"] if routes.PREFIX in path]) == len(
        {r.path for r in routes.ROUTES}
    )


def test_a_host_without_a_model_is_answered(boot, tmp_path):
    host = boot("a1111")
    app = FastAPI()
    app.add_api_route(OWN, lambda: {}, methods=["GET"])
    routes.mount(app, UnknownHost(), Library(tmp_path), Advisor(UnknownHost(), Library(tmp_path)), lambda: False)
    host.app = app
    status = host.http("GET", f"{routes.PREFIX}/status")
    assert (status.status_code, status.json()["model"], status.json()["enabled"]) == (200, None, False)
    for path in ("inspect", "advice"):
        reply = host.http("GET", f"{routes.PREFIX}/{path}")
        assert (reply.status_code, reply.json()["detail"]) == (404, "no model is selected")
