"""Figures of small panels side by side, for tables that have their own reader."""

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from files import write_whole
from names import in_order


def figure_of(groups, draw, x_label, y_label, sharey=True):
    """One panel per group, filled by `draw(axes, group)`, above a legend of the cells and of what else has a label."""
    columns = 2 if len(groups) == 4 else min(len(groups), 3)
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(0.7 + 2.4 * columns, 0.9 + 1.9 * rows))
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, sharey=sharey, squeeze=False).flat)
    for axes, group in zip(panels, groups):
        draw(axes, group)
        axes.set_title(group, loc="left", fontweight="bold")
        axes.set_xlabel(x_label)
    for axes in panels[len(groups):]:
        axes.remove()
    panels[0].set_ylabel(y_label)
    handles, labels = {}, []
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels()):
            handles.setdefault(label, handle)
    labels = in_order(handles, "cell")
    for columns in range(7, 0, -1):  # as many beside each other as there is room for
        legend = figure.legend([handles[label] for label in labels], labels, loc="lower center", ncol=columns)
        size = legend.get_window_extent()
        if size.width <= figure.bbox.width or columns == 1:
            break
        legend.remove()
    figure.tight_layout(rect=(0, max(0.34 * figure.dpi, size.height) / figure.bbox.height, 1, 1))
    return figure


def write_figure(path, figure, sources):
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None})
    write_whole(Path(path), data.getvalue(), sources)
    print(path)
