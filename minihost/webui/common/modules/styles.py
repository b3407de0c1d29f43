"""Styles: texts by name, from ``styles.csv`` in the data folder, that are put into a job's prompts."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple


class PromptStyle(NamedTuple):
    name: str
    prompt: str
    negative_prompt: str


def _merged(style: str, prompt: str) -> str:
    if "{prompt}" in style:
        return style.replace("{prompt}", prompt)
    return ", ".join(filter(None, (prompt.strip(), style.strip())))


class StyleDatabase:
    """The styles by name; unknown names are passed over."""

    def __init__(self, path: Path) -> None:
        self.styles: dict[str, PromptStyle] = {}
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    self.styles[row["name"]] = PromptStyle(row["name"], row["prompt"], row["negative_prompt"])

    def apply_styles_to_prompt(self, prompt: str, styles: list[str]) -> str:
        for name in styles:
            prompt = _merged(self.styles[name].prompt, prompt) if name in self.styles else prompt
        return prompt

    def apply_negative_styles_to_prompt(self, prompt: str, styles: list[str]) -> str:
        for name in styles:
            prompt = _merged(self.styles[name].negative_prompt, prompt) if name in self.styles else prompt
        return prompt
