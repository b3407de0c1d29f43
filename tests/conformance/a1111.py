"""As `common`, for what the A1111 line has besides."""

from __future__ import annotations

from modules import processing, sd_checkpoint

from clip_skip.hosts import protocols


def job(p: processing.StableDiffusionProcessing) -> protocols.LineProcessing:
    return p


def checkpoint(info: sd_checkpoint.CheckpointInfo) -> protocols.LineCheckpointInfo:
    return info
