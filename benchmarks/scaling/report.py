"""The tables of benchmarks.scaling."""

from __future__ import annotations

from typing import Any


def table(told: dict[str, Any]) -> list[str]:
    """Of a result: a row per number of workers."""
    rows = [
        "| jobs | workers | until the first frame | from then on | speed-up of that | overhead |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in (*told["editing"], *told["standing_in"]):
        overhead = "" if row["overhead"] is None else f"{100 * row['overhead']:.1f} %"
        rows.append(
            f"| {row['jobs']} | {row['workers']} | {row['start']:.1f} s | {row['seconds']:.1f} s | "
            f"{row['speed_up']:.2f} | {overhead} |"
        )
    lost = told["killed"]
    return [
        *rows,
        "",
        f"{told['machine']}, load average {told['load']:.0f} before it began; asleep: the quicker of "
        f"{told['repeats']} runs. {told['same']} of {told['compared']} "
        "edited outputs are byte for byte those of `edit_video` alone. A worker killed on the way: "
        f"{lost['done']} of {lost['jobs']} jobs done, {lost['tries']} workers for the one that took it along.",
    ]


def cost(speed: dict[str, Any]) -> list[str]:
    """Hours of a machine per hour of video, of benchmarks.speed."""
    rates, f = (24, 25, 30, 60), speed["frames_per_second"]
    return [
        f"| an hour of video of ... frames/s, one face, f = {f}: {speed['machine']} | "
        + " | ".join(map(str, rates))
        + " |",
        "| --- |" + " --- |" * len(rates),
        f"| hours of that machine | {' | '.join(f'{rate / f:.1f}' for rate in rates)} |",
    ]
