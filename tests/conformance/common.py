"""That the stand-in's objects are what the extension takes a host's for. mypy reads it (`tests/types`), nobody runs it.

The host's modules are checked where an adapter is made of them, in its `find`.
"""

from __future__ import annotations

from modules import extra_networks, processing, scripts, sd_checkpoint, shared, xyz_axes
from modules.lora_files import NetworkOnDisk

from clip_skip.hosts import protocols


def job(p: processing.StableDiffusionProcessing) -> protocols.Processing:
    return p


def result(processed: processing.Processed) -> protocols.Processed:
    return processed


def options() -> protocols.Options:
    return shared.opts


def checkpoint(info: sd_checkpoint.CheckpointInfo) -> protocols.CheckpointInfo:
    return info


def network(lora: NetworkOnDisk) -> protocols.NetworkOnDisk:
    return lora


def script(data: scripts.ScriptClassData) -> protocols.ScriptData:
    return data


def axis(option: xyz_axes.AxisOption) -> protocols.AxisOption:
    return option


def networks() -> protocols.ExtraNetworks:
    return extra_networks


def tag(params: extra_networks.ExtraNetworkParams) -> protocols.ExtraNetworkParams:
    return params
