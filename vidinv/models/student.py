"""What the small networks of a pack share: the view of the crop, the trunk, and a descriptor of the whole face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.backbone import describe, stages, stem


@dataclass(frozen=True)
class StudentConfig:
    """Sizes of the network; ``widths`` are the trunk's channels at 1/2, 1/4, ... of its ``side`` x ``side`` input.

    ``side`` is a multiple of 2 ** len(widths).
    """

    side: int = 64
    widths: tuple[int, ...] = (16, 32, 64, 128)
    blocks: tuple[int, ...] = (1, 1, 1)


@dataclass(frozen=True)
class DescribingConfig(StudentConfig):
    squeeze: int = 64  # channels kept per place of the last stage


def resized(x: Tensor, side: int) -> Tensor:
    """[B, C, side, side] float32, channels last: what bilinear interpolation with antialiasing makes of [B, C, S, S].

    Along an axis it is a matrix, and two products of matrices take two thirds of its time.
    """
    b, c, height, width = x.shape
    if (height, width) == (side, side):
        return x.float()
    with torch.autocast(x.device.type, enabled=False):
        rows = x.permute(0, 2, 3, 1).float().reshape(b, height, width * c)
        small = _resizing(height, side).to(x.device) @ rows @ _resizing(width, side, c).t().to(x.device)
    return small.view(b, side, side, c).permute(0, 3, 1, 2)


@cache
def _resizing(size: int, side: int, channels: int = 1) -> Tensor:
    """[side channels, size channels], of an axis whose pixels lie behind one another with all their channels."""
    with torch.inference_mode(False):
        axis = torch.eye(size)[:, None, None]  # a picture of one row for each of its pixels
        along = F.interpolate(axis, (1, side), mode="bilinear", antialias=True)[:, 0, 0].t().contiguous()
        return torch.kron(along, torch.eye(channels))


class Student(nn.Module):
    """A trunk that sees crops at its own size."""

    config: StudentConfig

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        if config.side % 2 ** len(config.widths):
            raise ValueError(f"side {config.side} cannot be halved {len(config.widths)} times")
        self.config = config
        self.stem = stem(config.widths[0])
        self.stages = stages(config.widths, config.blocks)

    def looks(self, x: Tensor) -> list[Tensor]:
        """What the trunk sees at 1/2, 1/4, ... of its side, finest first.

        :param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.
        """
        x = resized(x, self.config.side)
        found = [self.stem(F.pixel_unshuffle(x, 2))]
        for down in self.stages:
            found.append(down(found[-1]))
        return found


class DescribingStudent(Student):
    """A trunk with a descriptor of the whole face, from which a subclass's last layer reads its answer."""

    config: DescribingConfig

    def __init__(self, config: DescribingConfig) -> None:
        super().__init__(config)
        last, channels = config.side // 2 ** len(config.widths), config.widths[-1]
        self.squeeze = nn.Conv2d(channels, config.squeeze, 1)
        self.descriptor_size = channels + config.squeeze * last * last

    def read(self, x: Tensor, head: nn.Linear) -> Tensor:
        """What ``head`` reads from the descriptor of crops as :meth:`looks` takes them, float32 also under autocast."""
        return self.answer(self.looks(x)[-1], head)

    def answer(self, coarsest: Tensor, head: nn.Linear) -> Tensor:
        """The same of what :meth:`looks` found last."""
        descriptor = describe([coarsest], self.squeeze)
        with torch.autocast(coarsest.device.type, enabled=False):
            return head(descriptor.float())
