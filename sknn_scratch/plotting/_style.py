"""What the displays share: axes to draw on, and colours that the colour-blind can tell apart."""

from sknn_scratch._sklearn import check_matplotlib_support

# out of the palette of Okabe & Ito, "Color universal design" (2008)
BLUE, VERMILLION, GRAY = "#0072B2", "#D55E00", "#666666"
CYCLE = [BLUE, VERMILLION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]


def step_name(network):
    """What the training of a network counts."""
    return "iteration" if getattr(network, "solver", None) == "lbfgs" else "epoch"


def own_axes(ax, caller, figsize):
    """The axes given, or those of a new figure."""
    check_matplotlib_support(caller)
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout="constrained")[1]


def diverging_colors():
    """A colormap from vermillion, for what is negative, over white to blue."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("vermillion_blue", [VERMILLION, "white", BLUE])


def legend_below(ax, handles, n_columns=1):
    """A legend under the axes, where it hides nothing."""
    from matplotlib.transforms import offset_copy

    under_labels = offset_copy(ax.transAxes, ax.figure, y=-36, units="points")
    legend = ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=under_labels,
        ncols=n_columns,
        frameon=False,
    )
    place = ax.get_subplotspec()
    share = 1 if place is None else len(place.colspan) / place.get_gridspec().ncols
    if n_columns > 1 and legend.get_window_extent().width > share * ax.figure.bbox.width:
        legend_below(ax, handles)
