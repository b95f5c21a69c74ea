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
EMPTY = "Drop a video. Its faces are found and kept; after that every slider answers at once."
CSS = """
.gradio-container {max-width: 1500px !important; margin: 0 auto}
#head h1 {margin: 0; font-size: 1.4rem}
#people .grid-wrap {max-height: 170px; padding-top: 34px}
#people .grid-container {grid-template-columns: repeat(auto-fill, 104px) !important; height: auto !important}
#people .gallery-item, #people .thumbnail-item {width: 104px; height: 104px; aspect-ratio: 1}
#people .caption-label {font-size: 11px; max-width: 100%}
#right {position: sticky; top: 8px; align-self: flex-start}
#report iframe {width: 100%; height: 75vh; border: 1px solid #8884; border-radius: 6px; background: white}
footer {display: none !important}
@media (max-width: 760px) {
  main.fillable, .gradio-container main {padding: 8px !important}
  #left, #right {display: contents}
  #who {order: 1}
  #view {order: 2; position: sticky; top: 0; z-index: 20; background: var(--body-background-fill)}
  #what {order: 3}
  #how {order: 4}
}
"""


@dataclass(frozen=True)
class Parts:
    """Everything that events read or change."""

    blocks: Any
    owner: Any
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
    hold: Any
    composite: Any
    render: Any
    save: Any
    saved: Any
    queue: Any
    show: Any
    cancel: Any
    remove: Any
    told: Any
    result: Any
    report: Any
    files: Any
    timer: Any


def layout(knobs: Sequence[Knob], holdable: Sequence[str], secret: str, most: str) -> Parts:
    """The page, without anything that it does.

    :param holdable: attributes that may be held. :param secret: what the browser's own memory is locked with.
    :param most: how large a video may be, for people.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600), fill_width=True) as blocks:
        owner = gr.BrowserState("", storage_key="vidinv-owner", secret=secret)
        gr.Markdown("# vidinv", elem_id="head")
        with gr.Row(equal_height=False, elem_id="work"):
            with gr.Column(scale=2, min_width=300, elem_id="left"):
                with gr.Column(elem_id="who"):
                    drop = gr.File(
                        label=f"Video, or project and video, to {most}",
                        file_count="multiple",
                        file_types=DROPPED,
                        height=150,
                        elem_id="drop",
                    )
                    people = gr.Gallery(
                        label="Who is in it: click a face",
                        columns=4,
                        height=170,
                        allow_preview=False,
                        object_fit="contain",
                        interactive=False,
                        elem_id="people",
                    )
                    with gr.Row(equal_height=True):
                        whom = gr.Markdown("Edits are for **everybody**", elem_id="whom")
                        everybody = gr.Button("Everybody", size="sm", scale=0, min_width=110)
                with gr.Column(elem_id="what"):
                    sliders = _sliders(knobs)
            with gr.Column(scale=3, min_width=300, elem_id="right"):
                with gr.Column(elem_id="view"):
                    wipe = gr.ImageSlider(
                        label="before | after",
                        interactive=False,
                        max_height=2160,
                        buttons=["fullscreen"],
                        elem_id="wipe",
                    )
                    status = gr.Markdown(EMPTY, elem_id="status")
                    time = gr.Slider(0, 1, 0, step=0.01, label="time (s)", elem_id="time")
                with gr.Column(elem_id="how"):
                    with gr.Accordion("When: a range of time, or key frames", open=False):
                        which = gr.Dropdown([], label="edit", interactive=True)
                        when = gr.Radio([ALWAYS, BETWEEN, KEYS], value=ALWAYS, label="acts")
                        with gr.Row():
                            start = gr.Number(0, label="from (s)", minimum=0, min_width=80)
                            end = gr.Number(None, label="to (s)", minimum=0, min_width=80)
                            ease = gr.Number(0.2, label="comes and goes over (s)", minimum=0, min_width=80)
                        gr.Markdown("With key frames, moving a slider sets one at the time that is shown.")
                        unkey = gr.Button("Drop the key frame nearest to that time", size="sm")
                    with gr.Accordion("How: what is held, and how it goes in", open=False):
                        hold = gr.CheckboxGroup(list(holdable), label="hold, as far as the pack's network sees it")
                        composite = gr.Radio(
                            [
                                ("add the change to the frame's pixels", "detail"),
                                ("paste the generated face", "replace"),
                            ],
                            value="detail",
                            label="composite",
                        )
                    text = gr.Textbox(
                        label="Edits as the command line has them, one a line", lines=3, max_lines=12, elem_id="edits"
                    )
                    with gr.Row():
                        use_text = gr.Button("Use this text", size="sm", min_width=110)
                        clear = gr.Button("No edits", size="sm", min_width=110)
                    with gr.Row():
                        render = gr.Button("Render", variant="primary", min_width=110, elem_id="render")
                        save = gr.Button("Save project", min_width=110, elem_id="save")
                    saved = gr.File(label="project", visible=False, interactive=False, elem_id="saved")
        with gr.Column():
            queue = gr.Radio([], label="Queue", elem_id="queue")
            with gr.Row():
                show = gr.Button("Show result", size="sm", min_width=110, elem_id="show")
                cancel = gr.Button("Cancel", size="sm", min_width=110, elem_id="cancel")
                remove = gr.Button("Remove", size="sm", min_width=110)
            told = gr.Markdown("", elem_id="told")
            with gr.Row(equal_height=False):
                with gr.Column(min_width=300):
                    result = gr.Video(label="result", interactive=False, visible=False, elem_id="result")
                    files = gr.File(label="files", visible=False, interactive=False, elem_id="files")
                with gr.Column(min_width=300):
                    report = gr.HTML("", elem_id="report")
        timer = gr.Timer(1.0)
    return Parts(
        blocks, owner, drop, people, everybody, whom, sliders, wipe, status, time, which, when, start, end, ease, unkey,
        text, use_text, clear, hold, composite, render, save, saved, queue, show, cancel, remove, told, result, report,
        files, timer,
    )  # fmt: skip


def _sliders(knobs: Sequence[Knob]) -> list[Any]:
    found = [_slider(knob) for knob in knobs if not knob.spec.experimental]
    if experimental := [knob for knob in knobs if knob.spec.experimental]:
        with gr.Accordion(f"Experimental: most readers see that it is made ({len(experimental)})", open=True):
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
