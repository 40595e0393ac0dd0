#!/usr/bin/env python3
"""Measured series out of Debian packages, one CSV each with equal steps and empty cells where nothing was measured; and
a table of what was taken from which package. experiments/real_data.sh runs it."""

import gzip
import hashlib
import struct
import subprocess
import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import Parser, Problem, reason, run_main

import pandas

from files import write_whole

VEGA, STATSMODELS, FASHION = "python3-vega-datasets", "python3-statsmodels", "dataset-fashion-mnist"


# ---- series as packages have them -> a column of numbers by date

def hourly(frame):
    return frame.set_index(pandas.to_datetime(frame["date"], format="%Y/%m/%d %H:%M"))["temp"]


def hourly_with_seconds(frame):
    return frame.set_index(pandas.to_datetime(frame["date"], format="%Y/%m/%d %H:%M:%S"))["temp"]


def weekly(frame):
    return frame.set_index(pandas.to_datetime(frame["date"].astype(str), format="%Y%m%d"))["co2"]


def monthly(frame):
    """A row per year and a column per month become a row per month."""
    months = frame.set_index("YEAR").stack()
    index = [pandas.to_datetime(f"{year} {month}", format="%Y %b") for year, month in months.index]
    return pandas.Series(months.to_numpy(), index=index, name="temperature")


def yearly(frame):
    return pandas.Series(frame["SUNACTIVITY"].to_numpy(), index=pandas.to_datetime(frame["YEAR"], format="%Y"),
                         name="spots")


# name: package, file, how it is read, step, how dates are written
SERIES = {"seattle_temps": (VEGA, "seattle-temps.csv", hourly, "1H", "%Y-%m-%d %H:%M"),
          "sf_temps": (VEGA, "sf-temps.csv", hourly_with_seconds, "1H", "%Y-%m-%d %H:%M"),
          "co2": (STATSMODELS, "co2.csv", weekly, "7D", "%Y-%m-%d"),
          "elnino": (STATSMODELS, "elnino.csv", monthly, "MS", "%Y-%m-%d"),
          "sunspots": (STATSMODELS, "sunspots.csv", yearly, "AS", "%Y")}
IMAGES = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
          "t10k-labels-idx1-ubyte.gz"]


def with_equal_steps(values, step):
    """Steps that are left out become rows without a value."""
    if not values.index.is_monotonic_increasing or values.index.has_duplicates:
        raise Problem(f"{values.name}: dates are not in order")
    whole = values.asfreq(step)
    if len(values.index.difference(whole.index)):
        raise Problem(f"{values.name}: dates lie between steps of {step}")
    return whole


def series_csv(values, dates):
    """The form that `--task series` reads. Nothing is filled in: what a gap becomes is the task's choice."""
    return values.rename_axis("date").to_csv(date_format=dates)


# ---- packages

def output_of(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"{' '.join(words)}: {done.stderr.strip() or 'failed'} (experiments/setup.sh data installs it)")
    return done.stdout


def path_in(package, name):
    found = [line for line in output_of("dpkg", "-L", package).splitlines() if line.endswith(f"/{name}")]
    if len(found) != 1:
        raise Problem(f"{package} has {len(found)} files {name}: expected one")
    return Path(found[0])


def bytes_of(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise Problem(f"{path}: {reason(error)}") from error


def items_in(data):
    """How many images or labels a gzipped IDX file says it has."""
    return struct.unpack(">I", gzip.decompress(data)[4:8])[0]


def taken(name, package, path, data, rows, gaps):
    return {"data": name, "package": package,
            "version": output_of("dpkg-query", "-W", "-f", "${Version}", package), "file": str(path),
            "sha256": hashlib.sha256(data).hexdigest(), "rows": rows, "gaps": gaps}


def main(arguments):
    parser = Parser(description=__doc__)
    parser.add_argument("--series", required=True, help="folder for the CSVs of the series")
    parser.add_argument("--out", required=True, help="CSV of package, version, file, sha256 and rows")
    chosen = parser.parse_args(arguments)
    table = []
    for name, (package, file, read, step, dates) in SERIES.items():
        path = path_in(package, file)
        data = bytes_of(path)
        values = with_equal_steps(read(pandas.read_csv(path)), step)
        write_whole(Path(chosen.series) / f"{name}.csv", series_csv(values, dates).encode(), [path])
        table.append(taken(name, package, path, data, len(values), int(values.isna().sum())))
    for file in IMAGES:
        path = path_in(FASHION, file)
        data = bytes_of(path)
        table.append(taken("fashion_mnist", FASHION, path, data, items_in(data), 0))
    text = pandas.DataFrame(table).to_csv(index=False)
    write_whole(Path(chosen.out), text.encode())
    print(text, end="")


if __name__ == "__main__":
    sys.exit(run_main(main))
