"""Text files in; files out, whole or not at all."""

import os
import shutil
import stat
from pathlib import Path

from program import Problem, reason

MOST_BYTES = 1 << 30  # of a file that is read: results are far smaller, a device has no end


def read_text(path):
    """The text of a file; a byte-order mark of UTF-8 is left out."""
    data = bytearray()
    try:
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                data += block
                if b"\0" in block:
                    raise Problem(f"{path}: not a text file in UTF-8 (UTF-16, or no text at all):"
                                  " save it as UTF-8")
                if len(data) > MOST_BYTES:
                    raise Problem(f"{path}: more than {MOST_BYTES >> 20} MiB: too large to be a"
                                  " file of results")
    except OSError as error:
        raise Problem(f"{str(path) or repr('')}: {reason(error)}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Problem(f"{path}: line {line}: not a text file in UTF-8 (Latin-1?): save it as"
                      " UTF-8") from error


# What a run folder holds of rlt; nothing here writes over it.
RUN_FILES = {"meta.json", "config.toml", "train.csv", "valid.csv", "eval.csv", "lengths.csv",
             "horizon.csv", "last.safetensors", "best.safetensors", "DONE"}


def write_whole(out, data, inputs=()):
    """The bytes `data` into the file `out`, aside and renamed: a program that is stopped and a disk
    that is full leave what was there. A link stays a link; devices and pipes are written to.
    Refuses a file that is among `inputs`, or that rlt wrote into a run folder."""
    refuse_to_harm(out, inputs)
    try:
        found = os.stat(out) if os.path.exists(out) else None
        if found and os.path.samestat(found, os.fstat(1)):  # --out /dev/stdout
            with open(os.dup(1), "wb") as stream:
                stream.write(data)
        elif found and not stat.S_ISREG(found.st_mode):
            with open(out, "wb") as stream:
                stream.write(data)
        else:
            replace(Path(os.path.realpath(out)), data)
    except OSError as error:
        raise Problem(f"{out}: {reason(error)}") from error


def make_folder(path):
    """With all above it, where they are missing; the path."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(f"{path}: {reason(error)}") from error
    return Path(path)


def refuse_to_harm(out, inputs):
    path = Path(out)
    if not os.path.basename(out):
        raise Problem(f"--out {str(out)!r}: not the name of a file")
    if os.path.islink(out) and not os.path.exists(out):
        raise Problem(f"{out}: a link to nothing: {os.readlink(out)}")
    for one in inputs:
        if os.path.exists(out) and os.path.exists(one) and os.path.samefile(out, one):
            raise Problem(f"--out {out}: is read by this very command: choose another name")
    target = Path(os.path.realpath(path))
    if target.name in RUN_FILES and (target.parent / "meta.json").exists():
        raise Problem(f"--out {out}: belongs to the run {target.parent}: choose another name")


def replace(target, data):
    aside = target.parent / f".{os.getpid()}.partial"
    try:
        with open(aside, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            shutil.copymode(target, aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
