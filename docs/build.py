"""Writes `docs/api.md` from the tables that the program itself goes by: `python -m docs.build`."""

from __future__ import annotations

import argparse
import runpy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clip_skip.advice import report
from clip_skip.advice.rules import (
    Advice,
    Situation,
    advise,
    bad_tag,
    bad_value,
    different_tags,
    not_a_tag,
    not_applied,
    not_compared,
)
from clip_skip.interfaces.rest import openapi, routes
from clip_skip.interfaces.settings import SETTINGS, Setting
from clip_skip.models.inspect.evidence.evidence import STRONG, Evidence, SkipStatement
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.inspect.verdict.recommend import Recommendation
from clip_skip.skip import infotext
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.parameters import PARAMETERS, WORDS, Parameter, Refusal
from clip_skip.skip.prompt_tags import mistaken
from clip_skip.skip.reading import Reading
from clip_skip.skip.request import MOST_COMPARED

HERE = Path(__file__).parent
API = HERE / "api.md"

_HEAD = """<!-- Written by `python -m docs.build` from the program's own tables; changes here are lost. -->

# API and REST reference

What it all means is in the [guide](guide.md). The examples expect a WebUI with its API at `http://127.0.0.1:7860`
(AUTOMATIC1111 and Forge have one with `--api`, the demo of this repository always).

## Arguments

`alwayson_scripts` of `/sdapi/v1/txt2img` and `img2img` takes `"clip skip"` with the arguments `[enabled, options]`,
both of which may be left out. `options` is an object or its JSON text:

{options}

`mode` is `manual` when a number is given without it. The highest number is that of the model's architecture, such as
11 for CLIP-L on SDXL. A value that can't be used never costs an image: it is made as trained, and the result's text,
the infotext and the log name the value and what is accepted.

```bash
curl -s http://127.0.0.1:7860/sdapi/v1/txt2img -H "Content-Type: application/json" -d '{{
  "prompt": "a photo of a cat", "steps": 20,
  "alwayson_scripts": {{"clip skip": {{"args": [true, {{"l": 1.5, "g": 1}}]}}}}
}}'
```

`compare` has the same image made at each of up to {most} skips, with the same seed: each is a number, one of the words
{words}, or an object of the options above, such as `{{"l": 2, "g": 1}}`.
What such an object does not name is as the other options say. Each image has its own infotext; the first of `images`
shows all of them side by side under their numbers. Of a batch, every image is made at each skip. A script such as the
X/Y/Z plot makes its images without.

```bash
curl -s http://127.0.0.1:7860/sdapi/v1/txt2img -H "Content-Type: application/json" -d '{{
  "prompt": "a photo of a cat", "steps": 20, "seed": 1,
  "alwayson_scripts": {{"clip skip": {{"args": [true, {{"compare": [1, 1.5, 2]}}]}}}}
}}'
```

```python
import base64, json, urllib.request

body = {{
    "prompt": "a photo of a cat",
    "steps": 20,
    "alwayson_scripts": {{"clip skip": {{"args": [True, {{"skip": 2, "blend": "slerp"}}]}}}},
}}
request = urllib.request.Request(
    "http://127.0.0.1:7860/sdapi/v1/txt2img", json.dumps(body).encode(), {{"Content-Type": "application/json"}}
)
with urllib.request.urlopen(request) as reply:
    answer = json.load(reply)
with open("cat.png", "wb") as file:
    file.write(base64.b64decode(answer["images"][0]))
info = json.loads(answer["info"])
print(info["infotexts"][0])
print(info["extra_generation_params"].get("{advice}", "nothing to say"))
```

## In the prompt

`<clipskip:1.5>` is the option `skip`; `<clipskip:l=2:g=1>` has any of the options above by name. It needs no panel and
no arguments, and wins over both:

```bash
curl -s http://127.0.0.1:7860/sdapi/v1/txt2img -H "Content-Type: application/json" \\
  -d '{{"prompt": "a photo of a cat <clipskip:1.5>", "steps": 20}}'
```

## Axes of the X/Y/Z plot

{axes}

## Infotext

{infotext}

What has its default is left out; pasting brings all of it back. The WebUI's own `{host_key}` is written only where it
makes the same image without this extension: on SD 1.x with a whole number.

## Advice

In the API's answer, `{advice}` among the extra generation parameters holds what the settings let a
result show, as `id: text`; `GET /clip-skip/v1/advice` asks without making an image. The ids never change:

{advices}

A button `use` has the skip of each encoder to use.

## REST

Under `{prefix}`, beside the WebUI's own API and behind the same authentication. Bodies are JSON in UTF-8, sent as
`application/json`, of at most {max_body} bytes. A refused request is answered with `{{"detail": text}}`. The OpenAPI
document of the routes is the field `openapi` of `GET {prefix}/schema`.

```bash
curl -s http://127.0.0.1:7860/clip-skip/v1/status
curl -s "http://127.0.0.1:7860/clip-skip/v1/advice?options=%7B%22skip%22%3A%202%7D"
curl -s -X PUT http://127.0.0.1:7860/clip-skip/v1/presets/name:pony -H "Content-Type: application/json" \\
  -d '{{"skip": {{"l": 1, "g": 1.5}}, "note": "softer"}}'
curl -s http://127.0.0.1:7860/clip-skip/v1/presets/name:pony
curl -s -X DELETE http://127.0.0.1:7860/clip-skip/v1/presets/name:pony
```

```python
import json, urllib.parse, urllib.request

query = urllib.parse.urlencode({{"options": json.dumps({{"l": 2, "g": 1}})}})
with urllib.request.urlopen(f"http://127.0.0.1:7860/clip-skip/v1/advice?{{query}}") as reply:
    for advice in json.load(reply):
        print(advice["severity"], advice["id"], advice["text"], advice["reason"])
```

{routes}

## Settings

On the page *Settings*, section *CLIP Skip*, and in `/sdapi/v1/options` by these names (SD.Next takes them there, but
does not list them):

{settings}

## Flags

{flags}
"""


def page() -> str:
    """The whole reference."""
    return _HEAD.format(
        options=table(("option", "value", "what it does"), map(_option, PARAMETERS.values())),
        most=MOST_COMPARED,
        words=", ".join(_code(f'"{word}"') for word in WORDS),
        axes=table(("axis", "values"), ((_code(p.axis), _axis_values(p)) for p in PARAMETERS.values())),
        infotext=table(("key", "what it says"), _keys()),
        host_key=f"{infotext.HOST_KEY}: N",
        advice=report.KEY,
        advices=table(("id", "severity", "what it says", "buttons"), map(_advice, advices())),
        prefix=routes.PREFIX,
        max_body=f"{routes.MAX_BODY:,}",
        routes="\n\n".join(map(_route, routes.ROUTES)),
        settings=table(("name", "value", "default", "label", ""), map(_setting, SETTINGS)),
        flags=table(("flag", "what it does"), map(_flag, flags())),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _code(text: object) -> str:
    return f"`{text}`"


# --- options, axes, keys ---------------------------------------------------------------------------------------------


def _option(parameter: Parameter) -> tuple[str, str, str]:
    return _code(parameter.name), _values(parameter), parameter.help


def _values(parameter: Parameter) -> str:
    return " or ".join(_code(f'"{choice}"') for choice in parameter.choices) or parameter.accepted


def _axis_values(parameter: Parameter) -> str:
    if parameter.choices:
        return " or ".join(map(_code, parameter.choices))
    return f"numbers from 1 to {parameter.maximum}, as ranges too, and {', '.join(map(_code, WORDS))}"


def _keys() -> Iterator[tuple[str, str]]:
    for parameter in PARAMETERS.values():
        if parameter.infotext:
            yield _code(parameter.infotext), _key_words(parameter)
    yield _code(infotext.APPLIED), "`no`: the text encoder (a compiled one?) did not run where it could be reached"
    yield _code(infotext.REFUSED), "the values that were refused, and what is accepted"
    yield _code(infotext.VERSION), "the version of the extension that made the image"


def _key_words(parameter: Parameter) -> str:
    if parameter.maximum:
        return f"the skip of {parameter.label} that was really used"
    return f"{parameter.label}: {_values(parameter)}".replace('"', "")


# --- advice ----------------------------------------------------------------------------------------------------------


def advices() -> list[Advice]:
    """One of each, made by the rules themselves."""
    situations = (
        _situation("sd1", {"l": 2}, _facts("not-nai")),
        _situation("sd1", {"l": 2}, _facts("unknown")),
        *(_situation("sd1", {"l": skip}, _facts("unknown", *said)) for skip, said in _SAID),
        _situation("sdxl", {"l": 2, "g": 1}),
        _situation("sd3", {"l": 0, "g": 0}),
        _situation("sd1", {"l": 1}, _facts("nai", Recommendation({"l": 2}, "nai-lineage", ""))),
        Situation(Reading(ARCHITECTURES["sd1"], {"l": 1}), loras={"LORA": 2}),
        _situation("sd1", {"l": 6}),
        Situation(Reading(ARCHITECTURES["flux"], {}, slider=3, acts=False)),
    )
    said = [advise(situation)[-1] for situation in situations]
    refusal = Refusal("l", "99", "a number from 1 to 12")
    failed = [not_applied(("l",), "REASON"), bad_value(refusal), bad_tag(refusal), different_tags()]
    return [*said, *failed, not_a_tag(mistaken("<clip skip 2>")), not_compared(())]


# A skip that is read, and what the model's file, author or sample images say.
_SAID = (
    (2, (Recommendation({"l": 1}, "description", ""),)),
    (1, (Recommendation({"l": 2}, "description", ""),)),
    (2, (Recommendation({"l": 1}, "description", ""), SkipStatement("sample-images", "", {"l": 2}))),
)


def _situation(architecture: str, skips: Mapping[str, float], facts: ModelFacts | None = None) -> Situation:
    return Situation(Reading(ARCHITECTURES[architecture], skips), facts)


def _facts(verdict: str, recommended: Recommendation | None = None, *statements: SkipStatement) -> ModelFacts:
    evidence = (Evidence("known-file", STRONG, "FACT", verdict),)
    return ModelFacts(
        "MODEL",
        ARCHITECTURES["sd1"],
        verdict=verdict,
        evidence=evidence,
        recommended=recommended,
        statements=statements,
    )


def _advice(advice: Advice) -> tuple[str, ...]:
    buttons = ", ".join(_code(action.id) for action in advice.actions)
    return _code(advice.id), advice.severity, advice.text, buttons


# --- REST ------------------------------------------------------------------------------------------------------------


def _route(route: openapi.Route) -> str:
    operation = openapi.operation(route, secured=False)
    parts = [f"### `{route.method} {routes.PREFIX}{route.path}`", f"{route.summary}."]
    parts.append("\n".join(map(_route_parameter, operation.get("parameters", ()))))
    if route.body is not None:
        parts.append(f"Body:\n\n```text\n{shape(route.body)}\n```")
        parts.append(str(route.body.get("description", "")))
    if route.answer is None:
        parts.append(f"Answer: {route.status}, with nothing in it.")
    else:
        parts.append(f"Answer:\n\n```text\n{shape(route.answer)}\n```")
    refusals = {status: each["description"] for status, each in operation["responses"].items()}
    del refusals[str(route.status)]
    if refusals:
        parts.append(table(("refused with", "where"), ((status, words) for status, words in refusals.items())))
    return "\n\n".join(filter(None, parts))


def _route_parameter(parameter: Mapping[str, Any]) -> str:
    where = "in the path" if parameter["in"] == "path" else "in the query, optional"
    return f"- `{parameter['name']}`, {where}: {parameter['description']}"


def shape(schema: Mapping[str, Any], indent: str = "") -> str:
    """A JSON schema as a person sketches it; `?` marks what may be left out."""
    deeper = indent + "  "
    if "anyOf" in schema:
        return " or ".join(shape(each, indent) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("properties"):
        needed = schema.get("required", ())
        fields = (
            f"{deeper}{name}{'' if name in needed else '?'}: {shape(each, deeper)}"
            for name, each in schema["properties"].items()
        )
        return "{\n" + "\n".join(fields) + f"\n{indent}}}"
    kind = schema["type"]
    if kind == "array":
        return f"[{shape(schema['items'], indent)}, ...]"
    if kind == "object":
        return f"{{KEY: {shape(schema['additionalProperties'], indent)}, ...}}" if len(schema) > 1 else "an object"
    if kind == "number" and "minimum" in schema:
        return f"number from {schema['minimum']}" + (f" to {schema['maximum']}" if "maximum" in schema else "")
    return {"string": "text", "boolean": "true or false", "integer": "whole number", "null": "null"}[kind]


# --- settings and flags ----------------------------------------------------------------------------------------------


def _setting(setting: Setting) -> tuple[str, ...]:
    arguments = setting.arguments
    if setting.kind == "checkbox":
        value = "true or false"
    elif setting.kind == "radio":
        value = " or ".join(_code(choice) for choice in arguments["choices"])
    else:
        value = f"{arguments['minimum']} to {arguments['maximum']} by {arguments['step']}"
    default = str(setting.default).lower() if setting.kind == "checkbox" else str(setting.default)
    return _code(setting.key), value, _code(default), setting.label, setting.help


def flags() -> list[argparse.Action]:
    """What preload.py adds to the WebUI's command line."""
    parser = argparse.ArgumentParser(add_help=False)
    runpy.run_path(str(HERE.parent / "preload.py"))["preload"](parser)
    return parser._actions


def _flag(action: argparse.Action) -> tuple[str, str]:
    name = action.option_strings[0]
    metavar = "" if action.nargs == 0 else f" {name.rpartition('-')[2].upper()}"
    return _code(name + metavar), str(action.help)


if __name__ == "__main__":
    API.write_text(page(), "utf-8")
    print(f"written: {API}")
