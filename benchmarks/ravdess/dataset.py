"""The RAVDESS data set (Livingstone & Russo 2018) as it is published: its files, and a fair sample of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from vidinv.errors import InputError

LAYOUT = "Video_Speech_Actor_NN/Actor_NN/MM-VV-EE-II-SS-RR-NN.mp4 and Video_Song_Actor_NN/..., NN = 01 to 24"
ACTORS = range(1, 25)
SUFFIXES = (".mp4", ".mov", ".mkv", ".m4v", ".webm")
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")


@dataclass(frozen=True, order=True)
class Clip:
    """One file. The fields of a name are those of the data set; a clip from elsewhere has only a path."""

    path: Path
    actor: int = 0  # odd: male, even: female
    song: bool = False  # else speech
    emotion: str = ""
    take: str = ""  # intensity-statement-repetition

    @property
    def name(self) -> str:
        return self.path.stem


def read_name(path: Path) -> tuple[Clip, bool] | None:
    """The clip, and whether its file has sound (modality 01); None for a name of another kind (03 is sound alone)."""
    parts = path.stem.split("-")
    if len(parts) != 7 or not all(p.isdecimal() and len(p) == 2 for p in parts):
        return None
    modality, channel, emotion, *take, actor = parts
    if modality not in ("01", "02") or channel not in ("01", "02") or not 1 <= int(emotion) <= len(EMOTIONS):
        return None
    return Clip(path, int(actor), channel == "02", EMOTIONS[int(emotion) - 1], "-".join(take)), modality == "01"


def find_ravdess(root: Path) -> tuple[list[Clip], list[str]]:
    """Every recording once (that with sound, where both lie there), and what ``root`` lacks of the published set.

    :raises InputError: ``root`` is not laid out as the data set is.
    """
    if not root.is_dir():
        raise InputError(f"{root} is no folder; give the one that holds {LAYOUT}")
    found: dict[tuple, tuple[bool, Clip]] = {}
    for path in sorted(root.glob("Video_*_Actor_*/Actor_*/*.mp4")):
        read = read_name(path)
        if read is None:
            continue
        clip, sound = read
        key = (clip.actor, clip.song, clip.emotion, clip.take)
        if key not in found or (sound and not found[key][0]):
            found[key] = sound, clip
    if not found:
        raise InputError(f"{root} holds no video of RAVDESS; expected are {LAYOUT}")
    clips = sorted(clip for _, clip in found.values())
    missing = []
    for song in (False, True):
        there = {c.actor for c in clips if c.song == song}
        expected = [a for a in ACTORS if not (song and a == 18)]  # who recorded no songs
        absent = [a for a in expected if a not in there]
        if absent:
            few = f" ({', '.join(map(str, absent))})" if len(absent) <= 6 else ""
            kind = "song" if song else "speech"
            missing.append(f"{kind}: no video of {len(absent)} of {len(expected)} actors{few}")
    return clips, missing


def find_clips(folder: Path) -> list[Clip]:
    """Every video under a folder, whatever it is called.

    :raises InputError: there is none.
    """
    clips = sorted(Clip(p) for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not clips:
        raise InputError(f"{folder} holds no video ({', '.join(SUFFIXES)}); give a folder of clips")
    return clips


def sample(clips: list[Clip], count: int, seed: int) -> list[Clip]:
    """``count`` clips drawn by seed, as many of each actor as there are: nobody has two more than somebody else who has
    clips left. The same seed gives the same clips, and a larger count the same ones and more."""
    rng = random.Random(seed)
    by_actor: dict[int, list[Clip]] = {}
    for clip in sorted(clips):
        by_actor.setdefault(clip.actor, []).append(clip)
    for own in by_actor.values():
        rng.shuffle(own)
    actors = list(by_actor)
    rng.shuffle(actors)
    rounds = max(len(own) for own in by_actor.values())
    return [by_actor[a][i] for i in range(rounds) for a in actors if i < len(by_actor[a])][:count]
