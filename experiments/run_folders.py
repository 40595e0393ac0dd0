"""The run folders of `rlt train`: where they are, whose they are, and how they ended."""

import fcntl
import json
import os
import tomllib
from pathlib import Path

import columns
from files import read_text
from program import USAGE, Problem, reason
from sheets import to_whole

ENDED_WELL = (0, 4)  # done, and done but below --require; every other exit is a failure


class Run:
    """A run folder; `settings` are to be part of its identity."""

    def __init__(self, folder, settings):
        self.folder = folder
        meta = read_meta(folder / "meta.json")
        self.finished = meta["exit"] is not None or (folder / "DONE").exists()
        self.killed = not self.finished and not in_use(folder)
        self.failed = self.killed or meta["exit"] not in (None, *ENDED_WELL)
        config = read_config(folder / "config.toml")
        missing = [name for name in settings if name not in config]
        if missing:
            raise Problem(f"{folder / 'config.toml'}: has no setting {', '.join(missing)}", USAGE)
        self.identity = {name: str(meta[name]) for name in columns.RUN}
        # What decides the evaluation sets, beside the sizes asked for.
        self.data = (self.identity["task"], self.identity["rule"],
                     *(config.get(name, "") for name in ("task-option", "window", "data")))
        self.identity |= {name: config[name] for name in settings}


def read_meta(path):
    try:
        meta = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path}: not JSON: {error}") from error
    missing = [name for name in columns.RUN if not isinstance(meta, dict) or name not in meta]
    if missing:
        raise Problem(f"{path}: missing {', '.join(missing)}: is it a run folder of rlt?")
    for name in columns.RUN:
        if not str(meta[name]).isprintable():
            raise Problem(f"{path}: {name} {meta[name]!r} is not a name")
    if not isinstance(meta.setdefault("exit", None), int | None):
        raise Problem(f"{path}: exit {meta['exit']!r} is not an exit code")
    return meta | {"seed": to_whole(path, "seed", str(meta["seed"]))}


def read_config(path):
    """All settings of a run as text, numbers as they are written."""
    try:
        config = tomllib.loads(read_text(path), parse_float=str)
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path}: not TOML: {error}") from error
    return {name: str(value) for name, value in config.items()}


def in_use(folder):
    """Whether `rlt train` is at work in it: it locks the folder. Yes where that cannot be told."""
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(number)
    return False


def find_runs(places, settings):
    """The runs in these folders at any depth, by the names of their folders. One that is reached
    twice, by a link say, counts once."""
    found = {}
    for place in places:
        folders = run_folders(place)
        if not folders:
            raise Problem(f"{place}: no run folder in it (no meta.json)")
        for folder in folders:
            found.setdefault(os.path.realpath(folder), folder)
    return [Run(folder, settings) for folder in sorted(found.values())]


def run_folders(place):
    """Folders with a meta.json, links followed; each folder once, so that links may go round."""
    if not os.path.isdir(place):
        raise Problem(f"{place or repr(place)}: " + ("a file, not a folder"
                                                     if os.path.exists(place) else
                                                     "no such folder"))
    seen, folders, dangling = set(), [], []
    for folder, inner, names in os.walk(place, followlinks=True, onerror=unreadable):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(name for name in inner if not leads_up(folder, name))
        if "meta.json" in names:
            folders.append(Path(folder))
        else:
            dangling += [Path(folder, name) for name in sorted(names) if leads_nowhere(folder, name)]
    for path in dangling:  # beside runs it is a run that is missing
        if path.parent in {Path(place), *(folder.parent for folder in folders)}:
            raise Problem(f"{path}: a link to nothing: {os.readlink(path)}")
    return folders


def leads_up(folder, name):
    """Whether it is a link to a folder that holds the link: what is there is no part of it."""
    path = os.path.join(folder, name)
    return os.path.islink(path) and Path(os.path.realpath(folder)).is_relative_to(
        os.path.realpath(path))


def leads_nowhere(folder, name):
    path = os.path.join(folder, name)
    return os.path.islink(path) and not os.path.exists(path) and not name.startswith(".")


def unreadable(error):
    raise Problem(f"{error.filename}: {reason(error)}") from error
