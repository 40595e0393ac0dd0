"""CSV files, also such as a spreadsheet has saved: read into rows and frames, and written."""

import csv
import io
import re
import sys

import pandas

from columns import COUNTS, NUMBERS, SEEDS, TEXT
from files import read_text, write_whole
from program import Problem


def read_rows(path, required):
    """(header, rows), a row being (line, fields as text), of a CSV that has every column of
    `required`. What spreadsheets add is taken away: a byte-order mark, CR, empty rows, empty
    columns on the right; their separators are known."""
    text = read_text(path)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text), strict=True)
    table = []
    try:
        for fields in lines:
            fields = [field.strip() for field in fields]
            if any(fields):
                table.append((lines.line_num, fields))
    except csv.Error as error:
        raise Problem(f"{path}: line {lines.line_num}: not a CSV: {error}") from error
    if table and table[0][1][0].startswith("sep="):  # a spreadsheet tells another
        del table[0]
    if not table:
        raise Problem(f"{path}: empty, not even a header")
    header = without_empty_tail(table[0][1])
    missing = [name for name in required if name not in header]
    if missing:
        word = "column" if len(missing) == 1 else "columns"
        raise Problem(f"{path}: missing {word} {', '.join(missing)}: is it the right CSV?")
    for name in header:
        if header.count(name) > 1:
            raise Problem(f"{path}: has {header.count(name)} columns {name!r}")
    return header, [(line, fitted(path, line, fields, len(header))) for line, fields in table[1:]]


def separator(text):
    """What splits the header: a comma, or what spreadsheets write in some countries."""
    header = text.lstrip().partition("\n")[0]
    return max(",;\t", key=header.count)


def without_empty_tail(fields):
    while fields and not fields[-1]:
        fields = fields[:-1]
    return fields


def fitted(path, line, fields, width):
    """The row without empty fields beyond the header."""
    if not any(fields[width:]):
        fields = fields[:width]
    if len(fields) != width:
        cut = ": is it cut off?" if len(fields) < width else ""
        raise Problem(f"{path}: line {line} has {len(fields)} fields, the header {width}{cut}")
    return fields


def read_frame(paths, required, optional=()):
    """All rows of several CSVs, with their `file` and `line`. Counts are whole numbers of 64 bits,
    seeds text, columns that are not known text too unless they are `required`; what is empty, or a
    column that only some files have, is missing there."""
    parts = []
    for path in paths:
        header, rows = read_rows(path, required)
        part = pandas.DataFrame([fields for _, fields in rows], columns=header, dtype=str)
        parts.append(part.assign(file=str(path), line=[line for line, _ in rows]))
    frame = pandas.concat(parts, ignore_index=True)
    if frame.empty:
        raise Problem(f"{paths[0]}: a header, but no rows")
    frame = frame.assign(**{name: "" for name in optional if name not in frame}).fillna("")
    for name in [name for name in frame if name not in TEXT | {"file", "line"}]:
        if name in SEEDS | COUNTS:
            frame[name] = whole_numbers(frame, name)
        elif name in NUMBERS or name in required:
            frame[name] = [to_number(*entry) for entry in entries(frame, name)]
    for place, name, text in entries(frame, "data_hash") if "data_hash" in frame else ():
        if ROUNDED.fullmatch(text):
            raise Problem(f"{place}: {name} `{text}` was rounded by a spreadsheet: import that"
                          " column as text")
    return frame


def entries(frame, name):
    """(file and line, name, text) of every row."""
    places = (f"{file}: line {line}" for file, line in zip(frame["file"], frame["line"]))
    return zip(places, [name] * len(frame), frame[name])


def whole_numbers(frame, name):
    if name in SEEDS:
        return [str(to_whole(*entry)) for entry in entries(frame, name)]
    return pandas.array([to_whole(*entry) if entry[-1] else None
                         for entry in entries(frame, name)], dtype="UInt64")


def to_number(place, name, text):
    """A number; nan where there is none. `place` is a file and a line, for the message."""
    try:
        return float(text) if text else float("nan")
    except ValueError as error:
        hint = ": save it with decimal points" if re.fullmatch(r"-?\d+,\d+", text) else ""
        raise Problem(f"{place}: {name} `{text}` is not a number{hint}") from error


ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+\d+")


def to_whole(place, name, text):
    """A number from 0 to 2^64 - 1, never by way of a float: what a spreadsheet has made 1.84E+19
    may have been any of many numbers."""
    number = re.fullmatch(r"(\d{1,20})(\.0*)?", text, re.ASCII)
    if not number or int(number[1]) >= 1 << 64:
        hint = ": rounded by a spreadsheet: import that column as text" \
            if ROUNDED.fullmatch(text) else ""
        raise Problem(f"{place}: {name} `{text}` is not a whole number from 0 to 2^64 - 1{hint}")
    return int(number[1])


def write_csv(out, header, rows, inputs=()):
    """`rows`: dictionaries; what a row does not hold is empty. `-`: stdout."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if out == "-":
        sys.stdout.write(text.getvalue())
    else:
        write_whole(out, text.getvalue().encode(), inputs)
