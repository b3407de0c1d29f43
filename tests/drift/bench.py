"""What the drift of all skips costs: `python -m tests.drift.bench [--rounds N]`. Ratios are of pairs side by side."""

from __future__ import annotations

import argparse
import statistics
import time
from types import SimpleNamespace

import torch

from clip_skip.conditioning.loaded_model import LoadedModel
from clip_skip.conditioning.stacks import find_stack
from clip_skip.drift.measured import measure
from clip_skip.hosts.unknown import UnknownHost
from clip_skip.models.checkpoint import Checkpoint
from clip_skip.skip.architectures import ARCHITECTURES
from tests.bench.__main__ import encoder

TOKENIZER = SimpleNamespace(decode=str)


class Idle(UnknownHost):
    """A host that encodes with these encoders, of the real sizes, and has nothing else to do."""

    def __init__(self, architecture, encoders, ids) -> None:
        super().__init__()
        self._encoders, self._ids = encoders, ids
        stacks = tuple(map(find_stack, encoders))
        self.model = LoadedModel(architecture, stacks, Checkpoint("", architecture), TOKENIZER)

    def read(self) -> None:
        for each in self._encoders:
            each(input_ids=self._ids)

    def encode(self, prompt, work):
        return work(self.model, self.read)


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@torch.inference_mode()
def report(rounds: int) -> None:
    words = torch.randint(1, 49000, (1, 75), generator=torch.Generator().manual_seed(1))
    ids = torch.cat([torch.tensor([[49406]]), words, torch.tensor([[49407]])], dim=1)
    for name in ("sd1", "sdxl"):
        architecture = ARCHITECTURES[name]
        host = Idle(architecture, [encoder(row.id) for row in architecture.encoders], ids)

        def drift(host=host) -> None:
            measure(host, "", host.model.checkpoint, [])

        ratios = []
        host.read()
        for index in range(rounds):
            # In turns, so that what the machine does meanwhile hits both alike.
            order = (host.read, drift) if index % 2 else (drift, host.read)
            spent = {work: seconds(work) for work in order}
            ratios.append(spent[drift] / spent[host.read])
        low, _, high = statistics.quantiles(ratios, n=4)
        skips = " + ".join(str(row.trained_depth) for row in architecture.encoders)
        print(
            f"drift {architecture.name}, {skips} skips: {statistics.median(ratios):.3f} x one encode"
            f" (quartiles {low:.3f} to {high:.3f}; goal <= 1.2)"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="measured pairs")
    torch.set_num_threads(1)
    report(parser.parse_args().rounds)
