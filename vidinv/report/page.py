"""The report as one HTML file that needs nothing else: text, tables, plots and pictures."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from vidinv.errors import MissingExtra
from vidinv.report.document import Report
from vidinv.report.doubts import MEANINGS
from vidinv.report.notebook import picture_uri
from vidinv.report.outcome import unit_of
from vidinv.report.quality import Shown

NAMES = {
    "psnr": "inversion: PSNR",
    "ssim": "inversion: SSIM",
    "ms_ssim": "inversion: MS-SSIM",
    "mse": "inversion: MSE",
    "lpips": "inversion: LPIPS",
    "csim": "identity, edit to source (CSIM)",
    "identity_consistency": "identity consistency over time",
    "tl_id": "TL-ID, neighbouring frames",
    "tg_id": "TG-ID, all frames",
    "warping_error": "warping error, whole frame",
    "warping_error_faces": "warping error, faces",
    "landmark_jitter": "landmark jitter",
    "motion_kept": "motion of the face kept",
    "hausdorff": "landmarks moved (Hausdorff)",
    "seam_flicker": "flicker around the mask's edge",
    "outside_difference": "difference outside the faces",
    "av_shift": "sound against picture, start",
    "av_drift": "sound against picture, drift",
}


def require_page() -> None:
    """:raises MissingExtra: the packages that draw a page are not installed."""
    missing = [name for name in ("jinja2", "matplotlib") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f'an HTML report needs {" and ".join(missing)}; pip install "vidinv[report]", or write a .json report'
        )


def render(report: Report) -> str:
    """The whole page. :raises MissingExtra: see :func:`require_page`."""
    require_page()
    import jinja2
    from markupsafe import Markup

    from vidinv.report import plots

    drawn = {"stages": plots.stages(report.stages)} if report.stages else {}
    if any(score.edited is not None for score in report.series):
        drawn["identity"] = plots.identity(report.series, report.untrusted)
    if any(score.amount is not None for score in report.series):
        drawn["amount"] = plots.amount(report.series)
    # Of a run those that somebody asked for: what leaked is in the table.
    reached = (
        {name for outcome in report.outcomes for name in outcome.reached} if report.outcomes else report.attributes
    )
    attributes = {
        name: plots.attribute(report.series, name, unit_of(name)) for name in report.attributes if name in reached
    }
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (Path(__file__).parent / "page.html.jinja").read_text(encoding="utf-8")
    )
    return template.render(
        r=report,
        title=f"{', '.join(report.edits) or 'comparison'}: {Path(report.output or '').name}",
        names=NAMES,
        unit_of=unit_of,
        held=any(outcome.held for outcome in report.outcomes),
        meanings=MEANINGS,
        persons=plots.PERSONS,
        plots={name: Markup(svg) for name, svg in drawn.items()},
        attribute_plots={name: Markup(svg) for name, svg in attributes.items()},
        strip=[_picture_row(shown) for shown in report.strip],
        quality=sorted(report.quality.items(), key=lambda item: item[1].value is None),
    )


def _picture_row(shown: Shown) -> dict[str, str | list[str]]:
    """Data URIs of a frame before and after, and of its face."""
    when = f"frame {shown.index}" if shown.time is None else f"{shown.time:.2f} s"
    return {
        "when": when,
        "frames": [picture_uri(shown.source), picture_uri(shown.edited)],
        "faces": [picture_uri(f) for f in shown.faces] if shown.faces is not None else [],
    }
