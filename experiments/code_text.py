#!/usr/bin/env python3
"""Source code of installed packages as documents of text in folders train, valid and test, and a table of what was taken
from which package. experiments/code_text.sh runs it."""

import fcntl
import hashlib
import os
import sys
from contextlib import contextmanager
from pathlib import Path

# First: it says in one line which package is missing.
from program import USAGE, Parser, Problem, run_main, whole_number

import pandas

from files import make_folder, write_whole
from real_data import bytes_of, output_of

SUFFIXES = {".py", ".pyx", ".pxd", ".pm", ".c", ".h", ".hpp", ".cpp", ".tcc"}
SPLITS = ("train", "valid", "test")
SHORTEST, LONGEST = 30_000, 65_536  # bytes of a document


# ---- packages

def installed(pattern):
    """(name, version) of each package."""
    lines = output_of("dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Package}\t${Version}\n", pattern).splitlines()
    found = [tuple(line.split("\t")[1:]) for line in lines if line.startswith("ii")]
    if not found:
        raise Problem(f"no package {pattern} is installed (experiments/setup.sh build figures installs the usual ones)")
    return found


def sources_of(package):
    """The files of code that a package has, by path; links are other names of what is elsewhere."""
    paths = map(Path, output_of("dpkg", "-L", package).splitlines())
    return sorted(path for path in paths if path.suffix in SUFFIXES and path.is_file() and not path.is_symlink())


# ---- documents

def documents_of(paths):
    """{name: bytes}: the files of each folder joined, never one cut, in documents of SHORTEST to LONGEST bytes. Files
    that are no plain ASCII, and what is left of a folder, are passed over."""
    folders = {}
    for path in paths:
        data = bytes_of(path)
        if data.isascii() and b"\0" not in data:
            folders.setdefault(path.parent, []).append(data)
    documents = {}
    for folder, files in folders.items():
        joined, number = b"", 0
        for data in [*files, None]:
            if data is None or len(joined) + len(data) > LONGEST:
                if SHORTEST <= len(joined) <= LONGEST:
                    number += 1
                    documents[folder, number] = joined
                joined = b""
            joined += data or b""
    return documents


def split_of(folder):
    """Of eight folders one is for validation, one for testing: by the hash of the path, so that it stays there whatever
    else is installed."""
    number = hashlib.sha256(str(folder).encode()).digest()[0] % 8
    return {0: "valid", 1: "test"}.get(number, "train")


def fill(documents, sizes):
    """{split: {document: bytes}}: as many as have room, in the order of the hash of their names."""
    def drawn(key):
        return hashlib.sha256(f"{key[0]}#{key[1]}".encode()).digest()

    chosen = {split: {} for split in SPLITS}
    left = dict(zip(SPLITS, sizes))
    for key in sorted(documents, key=drawn):
        split = split_of(key[0])
        if len(documents[key]) <= left[split]:
            left[split] -= len(documents[key])
            chosen[split][key] = documents[key]
    for split in SPLITS:
        if not chosen[split]:
            raise Problem(f"--sizes: no document has room in {split}; the shortest have {SHORTEST} bytes")
    return chosen


def file_name(key):
    return str(key[0]).strip("/").replace("/", "_") + f"_{key[1]}.txt"


@contextmanager
def alone_in(place):
    """The folder, made if need be; another call waits."""
    number = os.open(make_folder(place), os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def write_documents(chosen, place):
    """Files of an earlier call that are of no document now are taken away; what is there already stays untouched, so that
    runs under way may read it."""
    with alone_in(place):
        for split, documents in chosen.items():
            folder = make_folder(place / split)
            names = {file_name(key): data for key, data in documents.items()}
            for path in folder.iterdir():
                if path.name not in names:
                    path.unlink()
            for name, data in names.items():
                if not (folder / name).is_file() or bytes_of(folder / name) != data:
                    write_whole(folder / name, data)


# ---- the table

def summary(package, version, own):
    """`own`: {split: {document: bytes}}."""
    digest = hashlib.sha256()
    for split in SPLITS:
        for key in sorted(own[split]):
            digest.update(f"{split}/{file_name(key)}\0".encode() + own[split][key])
    row = {"package": package, "version": version, "documents": sum(map(len, own.values()))}
    row |= {split: sum(map(len, own[split].values())) for split in SPLITS}
    return row | {"sha256": digest.hexdigest()}


def main(words):
    parser = Parser(description=__doc__)
    parser.add_argument("--packages", required=True, nargs="+", help="installed packages, as dpkg-query takes them")
    parser.add_argument("--sizes", required=True, nargs=3, metavar=("TRAIN", "VALID", "TEST"), help="most bytes of each")
    parser.add_argument("--data", required=True, help="folder for train, valid and test")
    parser.add_argument("--out", required=True, help="CSV of package, version, bytes and sha256")
    chosen = parser.parse_args(words)
    sizes = [whole_number("--sizes", size) for size in chosen.sizes]
    packages = [one for pattern in chosen.packages for one in installed(pattern)]
    if len(set(packages)) < len(packages):
        raise Problem("--packages: one of them is named twice", USAGE)
    documents, source = {}, {}
    for package in packages:
        for key, data in documents_of(sources_of(package[0])).items():
            # a folder that two packages share
            key = key if key not in documents else (key[0], f"{key[1]}_{package[0]}")
            documents[key], source[key] = data, package
    splits = fill(documents, sizes)
    write_documents(splits, Path(chosen.data))
    table = [summary(*package, {split: {key: data for key, data in of_split.items() if source[key] == package}
                                for split, of_split in splits.items()}) for package in packages]
    table.append(summary("all", "", splits))
    text = pandas.DataFrame(table).to_csv(index=False)
    write_whole(Path(chosen.out), text.encode())
    print(text, end="")


if __name__ == "__main__":
    sys.exit(run_main(main))
