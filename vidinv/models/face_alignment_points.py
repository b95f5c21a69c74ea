"""68 points through the package face-alignment (extra "landmarks"): larger and slower than the pack's own network."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from vidinv.errors import MissingExtra
from vidinv.models.landmarks import to_fractions

# Where a face detector would box the face in a crop of the default template, as shares of its side: the package
# places its own crop by such a box. Eyes lie at a height of 0.35 there and the mouth at 0.78.
_BOX = (0.08, 0.05, 0.92, 1.02)
_SIDE = 256  # what the package's network sees; smaller crops are enlarged to it, so that points keep their precision


class LandmarkSource(Protocol):
    """Whatever finds the 68 points of aligned crops: the pack's LandmarkNet, or FaceAlignmentPoints."""

    def __call__(self, x: Tensor, /) -> Tensor:
        """[B, 3, S, S] RGB crops, -1..1, to [B, 68, 2] float32 x and y, fractions of the crop; B >= 1."""
        ...


class FaceAlignmentPoints:
    """Bulat & Tzimiropoulos' face alignment network behind the interface of LandmarkNet.

    :raises MissingExtra: without the package, or without its weights and a network to fetch them from.
    """

    def __init__(self, device: str = "cpu") -> None:
        try:
            import face_alignment
        except ImportError as error:
            raise MissingExtra(
                'these landmarks need the package face-alignment: pip install "vidinv[landmarks]"'
            ) from error
        kinds = face_alignment.LandmarksType
        kind = kinds.TWO_D if hasattr(kinds, "TWO_D") else kinds._2D  # renamed in 1.4
        # "folder" is the one detector without weights of its own: the crop says where the face is.
        options: dict[str, Any] = {"device": device, "flip_input": False, "face_detector": "folder"}
        if "compile" in inspect.signature(face_alignment.FaceAlignment).parameters:
            options["compile"] = False  # it would take minutes at the first use
        try:
            self._network = face_alignment.FaceAlignment(kind, **options)
        except OSError as error:  # urllib's errors are among these
            why, folder = getattr(error, "reason", error), f"{torch.hub.get_dir()}/checkpoints"
            raise MissingExtra(
                f"face-alignment cannot download its weights ({why}); connect once, or copy them to {folder}"
            ) from error

    @torch.no_grad()
    def __call__(self, x: Tensor, /) -> Tensor:
        """See :class:`LandmarkSource`. One crop after the other: the package takes no batch of equal crops."""
        if x.shape[-1] < _SIDE:
            x = torch.nn.functional.interpolate(x.float(), (_SIDE, _SIDE), mode="bicubic", antialias=True)
        side = x.shape[-1]
        box = np.array(_BOX) * side
        pictures = ((x.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        points = [self._network.get_landmarks_from_image(p, detected_faces=[box])[0] for p in pictures]
        return to_fractions(torch.from_numpy(np.stack(points)).float().to(x.device), side)
