"""The picture of speed: how many times faster an epoch is than scikit-learn's, with numba and without."""


def factors(rows, dtype):
    """For each workload the two factors, of the rows of section "fit"."""
    ms = {(row["peer"], row["workload"]): row for row in rows if row["dtype"] == dtype}
    found = {}
    for peer, workload in ms:
        if peer == "sklearn" and ("numpy", workload) in ms:
            row = ms[peer, workload]
            found[workload] = (row["ratio"], row["theirs"] / ms["numpy", workload]["theirs"])
    return found


def draw_speed(rows, path):
    """Bars for a page 800 pixels wide, a panel for each precision."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    FigureCanvasAgg(figure)
    dtypes = [dtype for dtype in ("float64", "float32") if factors(rows, dtype)]
    panels = figure.subplots(1, len(dtypes), sharey=True, sharex=True, squeeze=False)[0]
    for panel, dtype in zip(panels, dtypes, strict=True):
        of_dtype = factors(rows, dtype)
        for i, (compiled, plain) in enumerate(of_dtype.values()):
            for place, value, color, label in (
                (i - 0.2, compiled, "C0", "with numba"),
                (i + 0.2, plain, "C1", "NumPy alone"),
            ):
                panel.barh(place, value, 0.38, color=color, label=label if i == 0 else None)
                panel.text(value * 1.05, place, f"{value:.1f}", va="center", fontsize="small")
        panel.set(xscale="log", title=dtype, xlabel="times faster than scikit-learn")
        panel.set_xlim(0.8, 300)
        panel.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
        panel.minorticks_off()
        panel.axvline(1, color="0.3", lw=0.8)
        panel.set_yticks(range(len(of_dtype)), list(of_dtype))
    panels[0].invert_yaxis()
    panels[-1].legend(frameon=False, fontsize="small", loc="upper right")
    figure.savefig(path, dpi=100)
