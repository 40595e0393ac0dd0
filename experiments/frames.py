"""Tables that grow: the rows of runs at hand below those of runs whose folders are gone."""

import pandas

from program import Problem


def read_one(path, texts=()):
    """The CSV `path`; the columns `texts` as they are written, an empty one as ''."""
    try:
        frame = pandas.read_csv(path, dtype={name: str for name in texts}, float_precision="round_trip")
    except (OSError, ValueError) as error:
        raise Problem(f"{path}: {error}") from error
    texts = [name for name in texts if name in frame.columns]
    return frame.fillna({name: "" for name in texts})


def add_to(path, frame, keys):
    """`frame` below the rows of the CSV `path`, but for those of its own runs, which the columns `keys` tell apart."""
    before = read_one(path, keys)
    if missing := [name for name in keys if name not in before.columns]:
        raise Problem(f"{path}: no column {', '.join(missing)}: merged from other runs?")
    anew = set(frame[keys].astype("string").fillna("").itertuples(index=False, name=None))
    old = [key not in anew for key in before[keys].itertuples(index=False, name=None)]
    return pandas.concat([before[old], frame], ignore_index=True)
