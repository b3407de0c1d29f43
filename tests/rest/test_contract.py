"""The served OpenAPI document against a running minihost: schemathesis makes up requests, good and bad.

Runs in a virtual environment of its own, `tests/venv rest`; the minihosts run in those of their WebUIs.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests import ports
from tests.conftest import ROOT

USER, PASSWORD = "me", "se:cret"
FLAGS = {"a1111": "--api-auth", "sdnext": "--auth"}
CONFIG = Path(__file__).with_name("schemathesis.toml")
SCHEMA = "/clip-skip/v1/schema"
EXAMPLES = 25


@contextmanager
def serving(like: str, folder: Path, *flags: str):
    """A minihost like that WebUI, in a process and virtual environment of its own; its address."""
    python = ROOT / ".venv" / like / "bin" / "python"
    command = [python, "-m", "minihost", "--like", like, "--data", folder, *flags]
    with (
        ports.reserved() as port,
        subprocess.Popen(
            [*command, "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if f"(like {like}" in line:
                    break
            assert process.poll() is None, "".join(lines)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.stdout.read()


@pytest.fixture(scope="module", params=[(like, secured) for like in FLAGS for secured in (False, True)], ids=str)
def server(request, tmp_path_factory):
    """(address, credentials or None) of a minihost, with and without credentials."""
    like, secured = request.param
    flags = [FLAGS[like], f"{USER}:{PASSWORD}"] if secured else []
    with serving(like, tmp_path_factory.mktemp("data"), *flags) as url:
        yield url, (USER, PASSWORD) if secured else None


@pytest.fixture
def document(server):
    url, credentials = server
    return requests.get(url + SCHEMA, auth=credentials).json()["openapi"]


def test_every_answer_is_as_the_document_says(server, document, tmp_path):
    url, credentials = server
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    schemathesis = [sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "run", file, "--url", url]
    flags = ["--max-examples", str(EXAMPLES), "--seed", "1", "--generation-database", "none", "--no-color"]
    flags += ["--request-timeout", "3600", "--suppress-health-check", "too_slow"]  # however slow the machine is
    if credentials:  # its --auth takes no ":" in a password
        flags += ["-H", f"Authorization: Basic {base64.b64encode(':'.join(credentials).encode()).decode()}"]
    run = subprocess.run([*schemathesis, *flags], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert f"Operations:       {count(document)} selected" in run.stdout


def test_no_route_answers_without_the_credentials(server, document):
    """Those that the host asks for; it asks in no other way for ours than for its own."""
    url, credentials = server
    wrong = [None, (USER, ""), (USER, PASSWORD[:-1]), (USER, PASSWORD.split(":")[0]), ("", PASSWORD), ("x", "x")]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert bool(operation.get("security")) == bool(credentials)
            for given in wrong:
                address = url + path.replace("{key}", "name:pony")
                reply = requests.request(method, address, auth=given, data=b"{}")
                own = requests.get(f"{url}/sdapi/v1/options", auth=given)
                assert (reply.status_code == 401) == (own.status_code == 401) == bool(credentials), (method, path)


def count(document) -> int:
    return sum(len(methods) for methods in document["paths"].values())
