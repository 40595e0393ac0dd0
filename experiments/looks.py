"""How figures look: colours, lines and markers of the cells, and the style of all axes."""

import contextlib
import itertools
import zlib

import matplotlib

SOLID, DASHED, DOTTED = "-", (0, (4, 1.4)), (0, (1, 1.2))
DASH_DOT, DASH_DOT_DOT = (0, (5, 1.3, 1, 1.3)), (0, (4, 1.2, 1, 1.2, 1, 1.2))
THREE_POINTS, FOUR_POINTS = (3, 1, 0), (4, 1, 0)
FIVE_POINTS, SIX_POINTS, SEVEN_POINTS = (5, 2, 0), (6, 1, 0), (7, 2, 0)

# cell: colour, line, marker. Okabe and Ito's colours (without yellow) and wine: the first eight
# stay apart under every kind of colour blindness; line and marker tell them apart in grey print.
LOOKS = {
    "lstm": ("#0072B2", SOLID, "o"),
    "elstm": ("#56B4E9", DASHED, "s"),
    "transformer": ("#D55E00", SOLID, "^"),
    "transformer_preln": ("#E69F00", DASHED, "v"),
    "linear": ("#CC79A7", SOLID, "D"),
    "deltanet": ("#009E73", DASH_DOT, "P"),
    "rdn": ("#882255", DASHED, "X"),
    "srwm": ("#000000", DOTTED, "*"),
    "delta_rnn": ("#999933", SOLID, "<"),
    "delta_lstm": ("#332288", DASH_DOT_DOT, ">"),
    "delta_mlp": ("#AA6F3B", DASH_DOT, "h"),
    "galite": ("#F4A6C8", SOLID, "H"),
    "agalite": ("#E41A7D", DASHED, "8"),
    "gru": ("#44AA99", DASHED, "p"),
    "elman": ("#7F7F00", DOTTED, "d"),
    "gtrxl": ("#5C2E0E", DASH_DOT_DOT, FOUR_POINTS),
    "aaren": ("#B2182B", DASH_DOT, THREE_POINTS),
    "transformer_xl": ("#8C6BB1", DASHED, FIVE_POINTS),
    "sliding_window": ("#1B7837", DASH_DOT_DOT, SIX_POINTS),
    "block_recurrent": ("#2166AC", SOLID, SEVEN_POINTS),
}
SPARE_COLOURS = ["#5B5EA6", "#B5446E", "#3F7F4F", "#A6761D", "#4F81A0", "#8C564B", "#6A4C93"]
SPARE_LINES = [SOLID, DASHED, DASH_DOT, DASH_DOT_DOT]
MARKERS = [*"os^vDPX*<>hpdH8", FOUR_POINTS, THREE_POINTS, FIVE_POINTS, SIX_POINTS,
           SEVEN_POINTS]
# equal to the eye
MARKER_SIZES = {"o": 4.2, "s": 3.9, "D": 3.6, "P": 5.2, "X": 5.0, "*": 7.0, FOUR_POINTS: 7.0,
                THREE_POINTS: 7.0, FIVE_POINTS: 6.0, SIX_POINTS: 7.0, SEVEN_POINTS: 6.0}
GREY = "#8A8A8A"

STYLE = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 7.5,
    "axes.titlesize": 8.5, "axes.labelsize": 8, "axes.linewidth": 0.6, "axes.edgecolor": "#444444",
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.grid": True, "grid.color": "#ECECEC", "grid.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5,
    "ytick.major.size": 2.5, "xtick.color": "#444444", "ytick.color": "#444444",
    "legend.frameon": False, "savefig.dpi": 200, "path.simplify": True,
    "svg.hashsalt": "rlt", "svg.fonttype": "path",  # same bytes and same look everywhere
    "pdf.fonttype": 42, "ps.fonttype": 42,  # TrueType: conferences refuse fonts of Type 3
}


@contextlib.contextmanager
def own_style():
    """Nobody's own settings change a figure."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def look(cell):
    """Colour, line and marker of a cell: a function of its name alone, so figures agree."""
    if cell in LOOKS:
        return LOOKS[cell]
    number = zlib.crc32(cell.encode())
    return (SPARE_COLOURS[number % 7], SPARE_LINES[number // 7 % 4], MARKERS[number // 28 % 13])


def looks_of(series):
    """Looks of all (cell, options); variants of a cell keep its colour and change the rest."""
    looks = {}
    for cell, group in itertools.groupby(series, key=lambda pair: pair[0]):
        colour, line, marker = look(cell)
        for number, pair in enumerate(group):
            lines = [line] + [other for other in SPARE_LINES if other != line]
            # lines come back after four, so markers must not
            shift = (MARKERS.index(marker) + 5 * number + number // len(lines)) % len(MARKERS)
            looks[pair] = (colour, lines[number % len(lines)], MARKERS[shift])
    return looks


def marked_by(style):
    colour, _, marker = style
    return {"color": colour, "marker": marker, "markersize": MARKER_SIZES.get(marker, 4.6),
            "markeredgecolor": "white", "markeredgewidth": 0.4}
