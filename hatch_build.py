"""Compiles the kernel of the tape while a wheel is built, and writes what a wheel says of itself.

The system's C compiler does it, ``$CC`` or ``cc``; where there is none, Zig from PyPI.  Zig also
builds for another platform, one of `TARGETS`, named by its wheel tag:

    MICROGRAD_LAB_PLATFORM=macosx_11_0_arm64 python -m build --wheel

With "any", or where nothing can compile, the wheel has no kernel and NumPy runs replays.

pygraphviz has no wheel for musl, which no marker can tell, so the wheels for musl ask for
graphviz-pure instead.  PyPI shows the README without the repository around it, so there its links
are absolute.
"""

import atexit
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface
from packaging.tags import platform_tags

TARGETS = {  # wheel tag: as Zig calls it, with the oldest C library or system that will do
    "manylinux_2_17_x86_64": "x86_64-linux-gnu.2.17",
    "manylinux_2_17_aarch64": "aarch64-linux-gnu.2.17",
    "musllinux_1_2_x86_64": "x86_64-linux-musl",
    "musllinux_1_2_aarch64": "aarch64-linux-musl",
    "macosx_10_13_x86_64": "x86_64-macos.10.13",
    "macosx_11_0_arm64": "aarch64-macos.11.0",
    "win_amd64": "x86_64-windows-gnu",
}
ZIG = "ziglang>=0.13"
FLAGS = [
    *("-std=gnu11", "-O3", "-fPIC", "-fvisibility=hidden", "-ffp-contract=fast"),
    *("-fno-math-errno", "-fno-trapping-math"),  # else conditions would keep loops from vectors
]
FOLDER = "micrograd_lab/replaying/tape"


class Metadata(MetadataHookInterface):
    """What a wheel for this or another platform depends on, and the README as PyPI shows it."""

    def update(self, metadata):
        musl = is_musl(os.environ.get("MICROGRAD_LAB_PLATFORM"))
        metadata["dependencies"] = [
            *self.config["dependencies"],
            *self.config["musl" if musl else "graphviz"],
        ]
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": readme(text, metadata["urls"]["Source"], metadata["version"]),
        }


class Kernel(BuildHookInterface):
    """Compiles the kernel into the checkout, or elsewhere for another platform, and packs it."""

    def dependencies(self):
        wanted = os.environ.get("MICROGRAD_LAB_PLATFORM")
        return [ZIG] if wanted in TARGETS or (not wanted and not compiler()) else []

    def initialize(self, version, build_data):
        wanted = os.environ.get("MICROGRAD_LAB_PLATFORM")
        if wanted == "any":
            return
        folder = Path(self.root, FOLDER)  # where an editable install and the tests find it
        if wanted:
            folder = Path(tempfile.mkdtemp())
            atexit.register(shutil.rmtree, folder)
        sys.path.insert(0, self.root)
        from micrograd_lab.replaying.tape.kernel import kernel_source

        tag = wanted or here()
        end = {"win": "dll", "mac": "dylib"}.get(tag[:3], "so")
        try:
            library = build(kernel_source(), folder / f"libkernel.{end}", tag, TARGETS.get(wanted))
        except (OSError, subprocess.CalledProcessError) as error:
            if wanted:
                raise
            self.app.display_warning(f"no kernel: {error}; NumPy will run replays")
            return
        if version == "standard":
            build_data["force_include"][str(library)] = f"{FOLDER}/{library.name}"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{tag}"


def is_musl(wanted):
    """Whether a platform, by its wheel tag, or this one, has musl for its C library."""
    return any(tag.startswith("musllinux") for tag in ([wanted] if wanted else platform_tags()))


def readme(text, repository, version):
    """The README away from its repository: its files at this version, itself from PyPI."""
    folder = repository.removeprefix("https://github.com/")
    pictures = f"https://raw.githubusercontent.com/{folder}/v{version}/"
    text = re.sub(r"(!\[[^\]]*\]\()(?!https?:)", rf"\1{pictures}", text)
    text = re.sub(r"(\]\()(?!https?:|#)", rf"\1{repository}/blob/v{version}/", text)
    return text.replace(f"git+{repository}", "micrograd-lab")


def build(source, library, tag, target):
    """Compile `source` once for each level of the processor, and link the library."""
    command = compiler() if target is None else None
    zig = command is None
    command = command or [sys.executable, "-m", "ziglang", "cc"]
    if target:
        command = [*command, "-target", target]
    with tempfile.TemporaryDirectory() as name:
        text, objects = Path(name, "kernel.c"), []
        text.write_text(source, encoding="utf-8")
        for level in (2, 3, 4) if tag.endswith(("x86_64", "amd64")) else (1,):
            objects.append(Path(name, f"kernel{level}.o"))
            level_flags = [f"-DRUN=run_{level}"]
            if level > 1:
                level_flags.append(f"-mcpu=x86_64_v{level}" if zig else f"-march=x86-64-v{level}")
            run([*command, *FLAGS, *level_flags, "-c", text, "-o", objects[-1]])
        run([*command, "-shared", *objects, "-lm", "-o", library])
    return library


def run(command):
    subprocess.run([*map(str, command)], check=True)


def compiler():
    """The system's compiler as the beginning of a command, if it has one."""
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        if name and shutil.which(shlex.split(name)[0]):
            return shlex.split(name)
    return None


def here():
    """The platform that this Python runs on, as a wheel tag."""
    tag = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return tag.replace("universal2", platform.machine())
