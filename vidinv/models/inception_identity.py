"""InceptionResnetV1 of facenet-pytorch (FaceNet, Schroff et al. 2015, arXiv:1503.03832): who a face is."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.face_views import Box, FaceView, box_in_crop
from vidinv.models.iresnet import cut_and_resize

# MTCNN's box about an upright face that looks ahead, in eye distances: means of 269 faces of three sets of portraits,
# standard deviations 0.07 to 0.1. It is narrower than high, and is stretched to a square as for training.
_MTCNN = FaceView(size=(2.16, 2.94), eyes=(1.08, 1.165), mouth=(1.08, 2.179), eye_distance=1.0)
_MARGIN = 160 / (160 - 32)  # the published networks' 32 pixels of 160, as a factor of the box
_LEVELS = 127.5 / 128  # its input is (level - 127.5) / 128, "fixed image standardisation"


def facenet_box(centre: float, by_eyes: float, by_mouth: float) -> Box:
    """The part of a pack's crop that MTCNN's box of an average face takes, with as much of the margin as the crop has.

    :param centre: with the other two the pack's template, see :class:`vidinv.faces.quads.Template`.
    :return: x0, y0, x1, y1, fractions of the crop; beyond it where the crop is smaller than the box.
    """
    x0, y0, x1, y1 = box_in_crop(_MTCNN, centre, by_eyes, by_mouth)
    axes = [((a + b) / 2, (b - a) / 2) for a, b in ((x0, x1), (y0, y1))]
    room = min(min(middle, 1 - middle) / half for middle, half in axes)
    # The view keeps its proportions, which matter more than a margin does.
    grown = min(max(room, 1.0), _MARGIN)
    (x, across), (y, down) = axes
    x0, x1 = (round(x + side * grown * across, 4) for side in (-1, 1))
    y0, y1 = (round(y + side * grown * down, 4) for side in (-1, 1))
    return x0, y0, x1, y1


@dataclass(frozen=True)
class InceptionIdentityConfig:
    """Where in the pack's crop the network's input lies, and how large that is; the network has one size only."""

    side: int = 160
    box: Box = (0.0, 0.0, 1.0, 1.0)  # x0, y0, x1, y1, fractions of the crop


class InceptionIdentity(nn.Module):
    def __init__(self, config: InceptionIdentityConfig) -> None:
        super().__init__()
        # Packs without this network need not wait for the library that has it.
        from facenet_pytorch import InceptionResnetV1
        from facenet_pytorch.models.inception_resnet_v1 import BasicConv2d

        self.config = config
        self.network = InceptionResnetV1(pretrained=None)  # any other value would download
        for module in self.network.modules():
            if isinstance(module, BasicConv2d):
                module.foldable = (("conv", "bn"),)

    def forward(self, x: Tensor) -> Tensor:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: [B, 512] float32 unit vectors; the dot product of two of them is their similarity, -1..1.
        """
        view = cut_and_resize(x, self.config.box, self.config.side)
        return F.normalize(self.network(view * _LEVELS).float(), dim=1)
