"""What to ask of an encoder, and how each of them is told."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from vidinv.errors import UsageError

CODECS = ("libx264", "libx265", "libsvtav1", "libvpx-vp9", "mpeg4")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
MOST_CRF = {"libx264": 51, "libx265": 51, "libsvtav1": 63, "libvpx-vp9": 63, "mpeg4": 51}
OWN_PRESETS = {"libsvtav1": range(14), "libvpx-vp9": range(9)}  # numbers; the higher the quicker
_SVT_PRESETS = (12, 11, 10, 9, 8, 7, 5, 3, 2)
_VP9_CPU_USED = (8, 7, 5, 4, 3, 2, 1, 1, 0)
_AVX_512F = 13  # as OpenCV counts features of a CPU; it has no name for it in Python
# What x264 uses of a CPU with AVX-512, but that: there its macroblock tree reads memory that nobody wrote, so that with
# B-frames the same pictures become other bytes at every run (x264 165; AVX2 takes the same time).
_X264_CALM = "asm=MMX2,SSE,SSE2,SSE2Fast,LZCNT,SSSE3,SSE4.2,AVX,FMA3,BMI1,BMI2,AVX2"


@dataclass(frozen=True)
class EncoderSettings:
    codec: str | None = None  # one of CODECS; None: what the container takes
    crf: float | None = 18  # quality on the encoder's own scale, lower is better; None: the encoder's default
    preset: str = "veryfast"  # one of PRESETS; libsvtav1 and libvpx-vp9 also take their own number
    threads: int = 0  # 0: as many as there are cores, and above 1080p four at most


def encoder_options(settings: EncoderSettings, large: bool = False) -> dict[str, str]:
    """Private options of the encoder. Raises UsageError for a codec, a preset or a quality that is not there.

    :param large: frames are, and as few of them as make no difference to the bytes shall wait in it.
    """
    if settings.codec not in CODECS:
        raise UsageError(f"no encoder called {settings.codec!r}; there are {', '.join(CODECS)}")
    own = OWN_PRESETS.get(settings.codec, range(0))
    if settings.preset not in (*PRESETS, *map(str, own)):
        numbers = f", and 0 to {own[-1]}" if own else ""
        raise UsageError(f"no preset called {settings.preset!r:.60}; there are {', '.join(PRESETS)}{numbers}")
    most = MOST_CRF[settings.codec]
    if settings.crf is not None and not 0 <= settings.crf <= most:
        raise UsageError(f"{settings.codec} has no crf {settings.crf:g}; give a number from 0 to {most}")
    speed = PRESETS.index(settings.preset) if settings.preset in PRESETS else None
    crf = {} if settings.crf is None else {"crf": f"{settings.crf:g}"}
    match settings.codec:
        case "libsvtav1":
            if settings.crf is not None and round(settings.crf) == 0:  # which libavcodec takes for nothing said
                crf = {"svtav1-params": "crf=0"}
            return crf | {"preset": settings.preset if speed is None else str(_SVT_PRESETS[speed])}
        case "libvpx-vp9":
            cpu_used = settings.preset if speed is None else str(_VP9_CPU_USED[speed])
            # b=0 makes crf the only thing that decides the size; above 5 only the realtime mode differs.
            deadline = "realtime" if int(cpu_used) > 5 else "good"
            return crf | {"b": "0", "cpu-used": cpu_used, "row-mt": "1", "deadline": deadline}
        case "mpeg4":
            # A quantiser from 1 to 31 instead of a crf; six steps of crf double it. 118 is libavcodec's unit for one.
            step = 3.0 if settings.crf is None else min(max(2 ** ((settings.crf - 12) / 6), 1.0), 31.0)
            # The quality is every picture's own, which ffmpeg alone gives them; the bounds hold without it.
            bounds = dict.fromkeys(("qmin", "qmax"), str(round(step)))
            return {"flags": "+qscale", "global_quality": str(round(118 * step))} | bounds
        case "libx265":
            return crf | {"preset": settings.preset, "x265-params": "log-level=error"}
        case _:
            calm = [_X264_CALM] if cv2.checkHardwareSupport(_AVX_512F) else []
            # Those that wait for the thread that looks ahead, which is then the encoder's own.
            params = ":".join([*calm, *(["sync-lookahead=0"] if large else [])])
            return crf | {"preset": settings.preset} | ({"x264-params": params} if params else {})
