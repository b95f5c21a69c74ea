"""One video: how well each method inverts it, and what the edits do to it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.faces import longest_seen
from vidinv import EncodeOptions, VideoEditor
from vidinv.errors import UsageError
from vidinv.inversion import METHODS, Inverter, make_inverter
from vidinv.metrics import reconstruction
from vidinv.metrics.identity import consistency, similarity
from vidinv.models.lpips import Lpips, load_lpips
from vidinv.models.pictures import to_tensor
from vidinv.report.quality import QualityOptions
from vidinv.video import probe

EDIT_FIGURES = (
    "csim", "tl_id", "tg_id", "warping_error", "warping_error_faces", "landmark_jitter", "motion_kept", "hausdorff",
    "seam_flicker", "outside_difference",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """All that a result depends on besides the video and the pack."""

    pack: str | None = None
    methods: tuple[str, ...] = ("feature-style",)
    edits: tuple[str, ...] = ("age=+2", "smile=+1")
    lpips: str | None = None  # weights of LPIPS' trunk
    every: int = 5  # frames between two looks at pixels and structure; identity looks at all


def check_methods(names: tuple[str, ...]) -> None:
    """:raises UsageError: a method that is not there."""
    for name in names:
        if name not in METHODS:
            raise UsageError(f"no inversion method called {name!r}; there are {', '.join(METHODS)}")


@dataclass
class Bench:
    """What a process holds for all its videos."""

    editor: VideoEditor
    lpips: Lpips | None
    settings: Settings

    @classmethod
    def of(cls, settings: Settings) -> Bench:
        check_methods(settings.methods)
        editor = VideoEditor(settings.pack)
        lpips = load_lpips(settings.lpips, editor.compute.device) if settings.lpips else None
        return cls(editor, lpips, settings)

    def measure(self, video: Path) -> dict[str, Any]:
        """All figures of one video. Raises a VidinvError."""
        info = probe(video)
        crops = longest_seen(video, self.editor.pack)
        return {
            "size": [info.display_width, info.display_height],
            "frames": len(crops),
            "inversion": {
                name: self._inversion(make_inverter(self.editor.pack, name), crops) for name in self.settings.methods
            },
            "edits": {edit: self._edit(video, edit) for edit in self.settings.edits},
        }

    @torch.inference_mode()
    def _inversion(self, invert: Inverter, crops: list[np.ndarray]) -> dict[str, float | None]:
        """Table 3 and Fig. 9 of Yao et al. 2022: every frame inverted by itself, compared on the crop."""
        pack, rows = self.editor.pack, dict[str, list[float]]()
        embeddings = list[NDArray[np.float32]](), list[NDArray[np.float32]]()
        for start in range(0, len(crops), 16):
            source = to_tensor(crops[start : start + 16], self.editor.compute.device)
            code = invert(source)
            made = pack.generator(code.w, code.feature, noise=code.noise).float().clamp(-1, 1)
            for found, pictures in zip(embeddings, (source, made), strict=True):
                found.append(pack.identity(pictures).float().cpu().numpy())
            looked_at = [i for i in range(len(source)) if (start + i) % self.settings.every == 0]
            a, b = ((p[looked_at] + 1) / 2 for p in (source, made))
            measures = {"ssim": reconstruction.ssim, "psnr": reconstruction.psnr, "mse": reconstruction.mse}
            measures |= {"lpips": self.lpips} if self.lpips else {}
            for name, measure in measures.items() if looked_at else ():
                rows.setdefault(name, []).extend(measure(a, b).tolist())
        own, inverted = (np.concatenate(e) for e in embeddings)
        means = {
            name: float(np.mean(rows[name])) if name in rows else None for name in ("ssim", "psnr", "mse", "lpips")
        }
        return means | {
            "identity": float(similarity(own, inverted).mean()),
            "identity_consistency_source": consistency(own),
            "identity_consistency": consistency(inverted),
        }

    def _edit(self, video: Path, edit: str) -> dict[str, Any]:
        """The finished frames against the source, before the codec."""
        with tempfile.TemporaryDirectory() as folder:
            report = self.editor.edit_video(
                video,
                Path(folder) / f"edited{video.suffix}",
                edit,
                output=EncodeOptions(preset="ultrafast", crf=30),
                quality=QualityOptions(whole_every=1),
            )
        row = {name: report.quality[name].value for name in EDIT_FIGURES}
        row |= {f"{n}_source": report.quality[n].source for n in EDIT_FIGURES if report.quality[n].source is not None}
        attributes = {name: score["change"] for name, score in report.attributes.items()}
        held_back = sum(s.trust is not None and s.trust < 1 for s in report.series)
        return row | {"reached": attributes, "faces": len(report.series), "held_back": held_back}
