"""Scores as text, tables as Markdown or LaTeX."""

import math


def percent(share):
    """One decimal. Exactly 0 and 1 are `0` and `100`: 99.97 is printed 99.9, never 100."""
    if share is None or math.isnan(share):
        return "-"
    if share in (0.0, 1.0):
        return f"{100 * share:.0f}"
    return f"{min(100 * share, 99.94) if share < 1 else 100 * share:.1f}"


def span(interval):
    return "-" if interval is None else f"{percent(interval[0])} to {percent(interval[1])}"


def counts(values):
    """`500`, or `480 to 500` when the rows differ, or `-` when unknown."""
    known = values.dropna()
    if known.empty:
        return "-"
    low, high = int(known.min()), int(known.max())
    return f"{low}" if low == high else f"{low} to {high}"


def markdown(header, rows, left=1):
    """The first `left` columns hold words, the others numbers."""
    rule = [":--" if index < left else "--:" for index in range(len(header))]
    escaped = [[str(entry).replace("|", "\\|") for entry in row] for row in [header] + rows]
    lines = [escaped[0], rule] + escaped[1:]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


LATEX = {"\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
         "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
         "<": r"$<$", ">": r"$>$"}


def latex_text(text):
    return "".join(LATEX.get(letter, letter) for letter in str(text))


def latex(header, rows, left=1):
    """A booktabs tabular."""
    columns = "l" * left + "r" * (len(header) - left)
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in [header] + rows]
    return "\n".join([rf"\begin{{tabular}}{{{columns}}}", r"\toprule", lines[0], r"\midrule",
                      *lines[1:], r"\bottomrule", r"\end{tabular}"]) + "\n"


class Paper:
    """Headings, paragraphs and tables as Markdown or LaTeX."""

    def __init__(self, kind):
        self.kind = kind

    def heading(self, text):
        print(f"## {text}\n" if self.kind == "markdown" else f"% {text}\n")

    def paragraph(self, text):
        print(f"{text}\n" if self.kind == "markdown" else f"{latex_text(text)}\n")

    def table(self, header, rows, left=1):
        print((markdown if self.kind == "markdown" else latex)(header, rows, left))
