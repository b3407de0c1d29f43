"""As `common`, for what SD.Next has besides."""

from __future__ import annotations

from modules import processing, prompt_parser_diffusers, sd_checkpoint

from clip_skip.hosts import protocols


def job(p: processing.StableDiffusionProcessing) -> protocols.NextProcessing:
    return p


def checkpoint(info: sd_checkpoint.CheckpointInfo) -> protocols.NextCheckpointInfo:
    return info


def provider(each: prompt_parser_diffusers.EmbeddingsProvider) -> protocols.EmbeddingsProvider:
    return each
