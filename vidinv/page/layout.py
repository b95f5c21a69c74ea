"""What is on the page, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from vidinv.page.knobs import Knob
from vidinv.video.output import FORMATS

TITLE = "vidinv"
ALWAYS, BETWEEN, KEYS = "always", "from - to", "key frames"
DROPPED = sorted({*FORMATS, ".avi", ".webm", ".ts", ".toml"})
EMPTY = "**Drop a video to begin.** Its faces are found and kept; after that every slider answers at once."
HEAD = "# vidinv\n\nEdit faces in video. Nothing leaves the machine that serves this page."
NOTHING = "Nothing yet. What you render stands here, also after a restart."
CSS = """
.gradio-container {max-width: 1500px !important; margin: 0 auto}
.gradio-container .fillable {width: 100%; padding: clamp(8px, 2.2vw, 32px) !important}
#head h1 {margin: 0; font-size: 1.4rem}
#head p, #none p {margin: 0; color: var(--block-info-text-color)}
.title h2 {margin: 0; font-size: 1.05rem}
#people .grid-wrap {max-height: 170px; padding-top: 34px}
#people .grid-container {grid-template-columns: repeat(auto-fill, 104px) !important; height: auto !important}
#people .gallery-item, #people .thumbnail-item {width: 104px; height: 104px; aspect-ratio: 1}
#people .caption-label {font-size: 11px; max-width: 100%}
#right {position: sticky; top: 8px; align-self: flex-start}
/* What stands there once there is a picture, something that is kept, or a job. */
.gradio-container:not(:has(#wipe img)) :is(#persons, #what, #picture, #scrubbed, #how),
#keeps:has(textarea:placeholder-shown),
.gradio-container:not(:has(#queue input)) :is(#choice, .form:has(#queue)),
.gradio-container:has(#queue input) #none {display: none !important}
.label-wrap {text-align: left}
#status {min-height: 24px}
#queue .wrap {flex-direction: column; align-items: stretch}
#queue label {white-space: normal; overflow-wrap: anywhere}
#report iframe {width: 100%; height: 75vh; border: 1px solid #8884; border-radius: 6px; background: white}
footer {display: none !important}
/* A slider of an edit is filled from where it changes nothing, and its words have the whole width. */
.edit {--off: var(--neutral-300)}
.dark .edit {--off: var(--neutral-600)}
.edit input[type=range] {--at: var(--range_progress, 50%); --fill: linear-gradient(to right,
  var(--off) min(var(--zero), var(--at)), var(--slider-color) 0 max(var(--zero), var(--at)), var(--off) 0)}
.edit input[type=range]::-webkit-slider-runnable-track {background: var(--fill) !important; height: 6px}
.edit input[type=range]::-moz-range-track {background: var(--fill) !important; height: 6px}
.edit input[type=range]::-moz-range-progress {background: transparent !important}
.edit input[type=range]::-webkit-slider-thumb {background: var(--slider-color) !important}
.edit input[type=range]::-moz-range-thumb {background: var(--slider-color) !important}
.edit .head {display: block !important; position: relative; margin-bottom: 0 !important}
.edit .head .tab-like-container {position: absolute; top: 0; right: 0}
.edit [data-testid=block-info] {min-height: 30px; padding-right: 112px; font-weight: 600}
@media (max-width: 760px) {
  #left, #right {display: contents}
  #who {order: 1}
  #view {order: 2; position: sticky; top: 0; z-index: 20; background: var(--body-background-fill); padding-bottom: 6px}
  #view {gap: 6px !important}
  #wipe img {max-height: 40vh}
  #what {order: 3}
  #how {order: 4}
}
"""


def zeros(knobs: Sequence[Knob]) -> str:
    """The rest of CSS: where each slider changes nothing."""
    return "".join(f"#edit-{knob.name} {{--zero: {100 * knob.zero:.2f}%}}\n" for knob in knobs)


@dataclass(frozen=True)
class Parts:
    """Everything that events read or change."""

    blocks: Any
    drop: Any
    people: Any
    everybody: Any
    whom: Any
    sliders: list[Any]  # one of each knob
    wipe: Any
    status: Any
    time: Any
    which: Any
    when: Any
    start: Any
    end: Any
    ease: Any
    unkey: Any
    text: Any
    use_text: Any
    clear: Any
    kept: Any
    hold: Any
    composite: Any
    render: Any
    save: Any
    saved: Any
    job: Any
    queue: Any
    show: Any
    cancel: Any
    remove: Any
    told: Any
    result: Any
    report: Any
    files: Any
    timer: Any


def layout(knobs: Sequence[Knob], holdable: Sequence[str], most: str) -> Parts:
    """The page, without anything that it does.

    :param holdable: attributes that may be held. :param most: how large a video may be, for people.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600), fill_width=True) as blocks:
        gr.Markdown(HEAD, elem_id="head")
        with gr.Row(equal_height=False, elem_id="work"):
            with gr.Column(scale=2, min_width=300, elem_id="left"):
                with gr.Column(elem_id="who"):
                    drop = gr.File(
                        label=f"Video or project, up to {most}",
                        file_count="multiple",
                        file_types=DROPPED,
                        height=150,
                        elem_id="drop",
                    )
                    with gr.Column(elem_id="persons"):
                        gr.Markdown("## Who", elem_classes="title")
                        people = gr.Gallery(
                            label="Click a face to edit that person only",
                            columns=4,
                            height=170,
                            allow_preview=False,
                            object_fit="contain",
                            interactive=False,
                            buttons=[],
                            elem_id="people",
                        )
                        with gr.Row(equal_height=True):
                            whom = gr.Markdown("Edits are for **everybody**", elem_id="whom")
                            everybody = gr.Button("Everybody", size="sm", scale=0, min_width=110)
                with gr.Column(elem_id="what"):
                    gr.Markdown("## What", elem_classes="title")
                    sliders = _sliders(knobs)
            with gr.Column(scale=3, min_width=300, elem_id="right"):
                with gr.Column(elem_id="view"):
                    with gr.Column(elem_id="picture"):
                        wipe = gr.ImageSlider(
                            label="before | after",
                            interactive=False,
                            max_height=2160,
                            buttons=["fullscreen"],
                            elem_id="wipe",
                        )
                    status = gr.Markdown(EMPTY, elem_id="status")
                    with gr.Column(elem_id="scrubbed"):
                        time = gr.Slider(0, 1, 0, step=0.01, label="time (s)", elem_id="time")
                with gr.Column(elem_id="how"):
                    with gr.Accordion("When: a range of time, or key frames", open=False, elem_id="when"):
                        which = gr.Dropdown([], label="edit", interactive=True, elem_id="which")
                        when = gr.Radio([ALWAYS, BETWEEN, KEYS], value=ALWAYS, label="acts", elem_id="acts")
                        with gr.Row():
                            start = gr.Number(0, label="from (s)", minimum=0, min_width=80, elem_id="from")
                            end = gr.Number(None, label="to (s)", minimum=0, min_width=80, elem_id="to")
                            ease = gr.Number(0.2, label="ease (s)", minimum=0, min_width=80, elem_id="ease")
                        gr.Markdown("With key frames, moving a slider sets one at the time that is shown.")
                        unkey = gr.Button("Remove the nearest key frame", size="sm", elem_id="unkey")
                    with gr.Accordion("How: what is held, and how it goes in", open=False, elem_id="way"):
                        hold = gr.CheckboxGroup(
                            list(holdable), label="hold, as far as the pack's network sees it", elem_id="hold"
                        )
                        composite = gr.Radio(
                            [
                                ("add the change to the frame's pixels", "detail"),
                                ("paste the generated face", "replace"),
                            ],
                            value="detail",
                            label="composite",
                            elem_id="composite",
                        )
                    text = gr.Textbox(
                        label="Edits as the command line has them, one a line", lines=3, max_lines=12, elem_id="edits"
                    )
                    with gr.Row():
                        use_text = gr.Button("Use this text", size="sm", min_width=110, elem_id="use")
                        clear = gr.Button("No edits", size="sm", min_width=110, elem_id="clear")
                    with gr.Column(elem_id="keeps"):
                        kept = gr.Textbox(
                            label="Also in the project: kept as it is, and saved again",
                            info="The picture above is without what of this changes it.",
                            lines=1,
                            max_lines=12,
                            interactive=False,
                            placeholder=" ",  # by which it is seen to be empty
                            elem_id="kept",
                        )
                    with gr.Row():
                        render = gr.Button("Render", variant="primary", min_width=110, elem_id="render")
                        save = gr.Button("Save project", min_width=110, elem_id="save")
                    saved = gr.File(label="project", visible=False, interactive=False, elem_id="saved")
        with gr.Column():
            gr.Markdown("## Queue", elem_classes="title")
            gr.Markdown(NOTHING, elem_id="none")
            job = gr.State(
                None
            )  # of the radio: as its input, one that another tab removed would be an error of gradio's
            queue = gr.Radio([], show_label=False, elem_id="queue")
            with gr.Row(elem_id="choice"):
                show = gr.Button("Show result", size="sm", min_width=90, elem_id="show")
                cancel = gr.Button("Cancel", size="sm", min_width=90, elem_id="cancel")
                remove = gr.Button("Remove", size="sm", min_width=90, elem_id="remove")
            told = gr.Markdown("", elem_id="told")
            with gr.Row(equal_height=False):
                with gr.Column(min_width=300):
                    result = gr.Video(label="result", interactive=False, visible=False, elem_id="result")
                    files = gr.File(label="files", visible=False, interactive=False, elem_id="files")
                with gr.Column(min_width=300):
                    report = gr.HTML("", elem_id="report")
        timer = gr.Timer(1.0)
    return Parts(
        blocks, drop, people, everybody, whom, sliders, wipe, status, time,
        which, when, start, end, ease, unkey, text, use_text, clear, kept, hold, composite, render, save, saved,
        job, queue, show, cancel, remove, told, result, report, files, timer,
    )  # fmt: skip


def _sliders(knobs: Sequence[Knob]) -> list[Any]:
    found = [_slider(knob) for knob in knobs if not knob.spec.experimental]
    if experimental := [knob for knob in knobs if knob.spec.experimental]:
        with gr.Accordion(
            f"Experimental: most readers see that it is made ({len(experimental)})", open=True, elem_id="experimental"
        ):
            found += [_slider(knob) for knob in experimental]
    return found


def _slider(knob: Knob) -> Any:
    return gr.Slider(
        knob.least,
        knob.most,
        0,
        step=knob.step,
        label=knob.label,
        info=knob.info,
        elem_id=f"edit-{knob.name}",
        elem_classes="edit",
    )
