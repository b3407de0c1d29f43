"""What the drift of all skips costs: `python -m tests.drift.bench [--rounds N]`. Ratios are of pairs side by side."""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from clip_skip.architectures import ARCHITECTURES
from clip_skip.drift import collected, drift
from clip_skip.taps import find_stack
from tests.bench.__main__ import encoder


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@torch.inference_mode()
def report(rounds: int) -> None:
    tokens = torch.randint(0, 49000, (1, 77), generator=torch.Generator().manual_seed(1))
    for name in ("sd1", "sdxl"):
        architecture = ARCHITECTURES[name]
        models = [(row, model, find_stack(model)) for row in architecture.encoders for model in [encoder(row.id)]]

        def encode(models=models) -> None:
            for _, model, _ in models:
                model(input_ids=tokens)

        def measure(models=models) -> None:
            for row, model, stack in models:
                with collected(stack) as states:
                    model(input_ids=tokens)
                drift(states, row, stack.final_norm)

        ratios = []
        encode()
        for index in range(rounds):
            # In turns, so that what the machine does meanwhile hits both alike.
            order = (encode, measure) if index % 2 else (measure, encode)
            spent = {work: seconds(work) for work in order}
            ratios.append(spent[measure] / spent[encode])
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
