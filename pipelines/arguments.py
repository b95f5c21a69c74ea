"""What the recipes that train ask for on the command line. No recipe itself."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch

from vidinv.runtime.compute import Compute, choose

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


def run_arguments(parser: argparse.ArgumentParser, checkpoint: float) -> None:
    """Of every run that stops and resumes. :param checkpoint: seconds between checkpoints, unless it is told."""
    parser.add_argument("--data", type=Path, required=True, help="folder of shards")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, help="length of the run, over the settings' own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop (to be resumed) after so long")
    parser.add_argument("--checkpoint", type=float, default=checkpoint, help="seconds between checkpoints")


def gpu_arguments(parser: argparse.ArgumentParser) -> None:
    """Of a run on a GPU that is at hand for minutes at a time."""
    run_arguments(parser, checkpoint=120)
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "face-256.toml")
    device_arguments(parser)


def device_arguments(parser: argparse.ArgumentParser, precision: str = "auto") -> None:
    """Of a recipe for CPU and GPU. :param precision: unless it is told."""
    parser.add_argument("--batch", type=int, help="over the settings' own")
    parser.add_argument("--part-mib", type=int, help="split checkpoints into parts of at most so many MiB")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default=precision, help="auto, bf16 or fp32")


def elsewhere_arguments(parser: argparse.ArgumentParser) -> None:
    """Of a run on a machine that is lent for minutes."""
    parser.add_argument("--portable", type=Path, help="leave there too, at every checkpoint, what goes on elsewhere")
    parser.add_argument("--fill", action="store_true", help="train for --minutes, and let the rates fall by their end")


def tune(options: argparse.Namespace) -> Compute:
    """Where and how precisely to compute, and PyTorch's switches for long runs of the same shapes."""
    compute = choose(options.device, options.precision)
    if compute.device != "cpu":  # there sums stay as they are
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    return compute


def shorter(how: Options, options: argparse.Namespace) -> Options:
    """A loop's options with what the command line says over them."""
    over = {k: getattr(options, k) for k in ("images", "batch") if getattr(options, k, None)}
    return dataclasses.replace(how, **over)
