"""What was measured, in files, and the tables of ``docs/benchmarks.md``, which follow from them.

    python benchmarks/replay.py -o benchmarks/replay.json
    python benchmarks/programs.py -o benchmarks/programs.json
    python benchmarks/measured.py

The last of these writes the tables of both files into the page.  The site draws its plots from the
same files.  Times are seconds for a step; the speed is that by the time of the processor, beside
that of one of the ways, the base.
"""

from __future__ import annotations

import json
import os
import platform
import re
import textwrap
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from workloads import duration

Times: TypeAlias = "dict[str, dict[str, float]]"  # of each way: median, least, processor, speed

FILES = ("replay.json", "programs.json")
FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "docs" / "benchmarks.md"
FILE_IN_PAGE = re.compile(r"(<!-- measured: (\S+) -->\n).*?(\n<!-- until here -->)", re.DOTALL)


def save(path: Path, versions: str, base: str, workloads: dict[str, Times]) -> None:
    """Write what was measured today on this machine."""
    run = {
        "date": date.today().isoformat(),
        "versions": versions,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "base": base,
        "workloads": workloads,
    }
    path.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", "utf-8")


def load(name: str) -> dict[str, Any]:
    """A file of this folder."""
    run: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return run


def table(title: str, times: Times, base: str) -> str:
    """The times of a workload, and the speed beside that of `base`, as Markdown."""
    lines = [
        f"| {title} | median | least | of the processor | {base} = 1 |",
        "| -- | -: | -: | -: | -: |",
    ]
    for way, seconds in times.items():
        cells = [duration(seconds[kind]) for kind in ("median", "least", "processor")]
        lines.append(f"| {way} | {' | '.join(cells)} | {seconds['speed']:.3g} |")
    return "\n".join(lines)


def plot_name(title: str) -> str:
    """The file of the plot that the site draws of a workload."""
    return f"times/{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}.svg"


def part(name: str) -> str:
    """What the page says about a file: when it was measured, and each workload's plot and table."""
    run = load(name)
    paragraphs = [textwrap.fill(f"{run['date']}, {run['versions']}; {run['machine']}.", 110)]
    for title, times in run["workloads"].items():
        about = f"{title}: the times of the table below, the fastest first"
        paragraphs.append(f"<!-- drawn: {plot_name(title)}, {about} -->")
        paragraphs.append(table(title, times, run["base"]))
    return "\n\n".join(paragraphs)


def updated(page: str) -> str:
    """The text of the page with the parts that the files give."""
    return FILE_IN_PAGE.sub(lambda found: f"{found[1]}\n{part(found[2])}\n{found[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text("utf-8")), "utf-8")
