"""Whole training curves of RealMLP beside those of the reference implementation.

    python -m tests.benchmarks.realmlp.training_curves --data FOLDER [--only letter] [--preset td] [--seeds 3]
                                              [--json FILE]
    python -m tests.benchmarks.realmlp.training_curves --picture FILE

On one split of a data set, for each of some seeds, of both implementations: the training loss of every epoch
and the error on the rows held out; and before the first step, the standard deviation of what goes into the
activation function of each hidden layer, and of the scores. What is in FILE already is not measured again; an
implementation that is not installed is left out. --picture draws docs/images/tabular_curves.png of such a
file, and prints the means.
"""

import argparse
import importlib.util
import json
import pathlib
import time
import warnings

import numpy as np

from sknn_scratch.core import NeuralTangent
from sknn_scratch.tabular import _ensemble

from .error_and_time import error, load
from .methods import ours, reference

PICTURE = pathlib.Path(__file__).parents[3] / "docs" / "images" / "tabular_curves.png"
NAMES = {"reference": "reference", "ours": "here"}
EPOCHS = (1, 4, 16, 64, 128, 192, 256)


def curves_of_ours(preset, classify, seed, X, y):
    """A fitted model; its losses, and its errors on the rows held out."""
    model = ours(preset, n_cv=1)(classify, seed).fit(X, y)
    scores = np.array(model.validation_scores_)
    return model, model.loss_curve_, (1 - scores if classify else -scores / y.std()).tolist()


def curves_of_reference(preset, classify, seed, X, y):
    """The same; the reference keeps no curves, so its training module is watched."""
    from pytabkit.models.training import lightning_modules

    module = lightning_modules.TabNNModule
    losses, errors, of_epoch = [], [], []
    step, end = module.training_step, module.on_validation_epoch_end

    def watched_step(self, batch, i):
        loss = step(self, batch, i)
        of_epoch.append(float(loss))
        return loss

    def watched_end(self):
        losses.append(float(np.mean(of_epoch)))
        of_epoch.clear()
        raw, held_out = np.concatenate([np.asarray(part[0]) for part in self.val_preds]), self.val_dl.val_y[0]
        held_out = np.asarray(held_out)
        if classify and held_out.shape[1] > 1:  # labels as probabilities
            held_out = held_out.argmax(axis=1, keepdims=True)
        wrong = raw.argmax(axis=1) != held_out[:, 0] if classify else (raw - held_out) ** 2
        errors.append(float(wrong.mean() if classify else np.sqrt(wrong.mean())))
        return end(self)

    module.training_step, module.on_validation_epoch_end = watched_step, watched_end
    try:
        model = reference(simple=preset == "td-s")(classify, seed).fit(X, y)
    finally:
        module.training_step, module.on_validation_epoch_end = step, end
    return model, losses, errors


class NoTrainingError(Exception):
    """Training was about to begin."""


def first_scores_of_ours(preset, classify, seed, X, y):
    """Standard deviations of what the layers with weights put out before the first step."""
    started = []

    def watched_training(network, parameters, batches, *args, **kwargs):
        started.extend([network, parameters, batches.X])
        raise NoTrainingError

    train, _ensemble.train_minibatch = _ensemble.train_minibatch, watched_training
    try:
        ours(preset, n_cv=1)(classify, seed).fit(X, y)
    except NoTrainingError:
        pass
    finally:
        _ensemble.train_minibatch = train
    network, parameters, x = started
    stds = []
    for layer, theta in zip(network.layers, parameters.layers, strict=True):
        x = layer.forward(theta, x, layer.forward_buffers(len(x), x.dtype))
        if isinstance(layer, NeuralTangent):
            stds.append(float(x.std()))
    return stds


def first_scores_of_reference(preset, classify, seed, X, y):
    """The same, of the first batch."""
    import torch
    from pytabkit.models.training import lightning_modules

    module, stds = lightning_modules.TabNNModule, []

    def note(layer, inputs, output):
        if type(layer).__name__ == "BiasLayer":
            stds.append(float(output["x_cont"].std()))

    def watched_step(self, batch, i):
        for layer in self.model.eval().modules():
            layer.register_forward_hook(note)
        with torch.no_grad():
            self.model(batch)
        raise NoTrainingError

    step, module.training_step = module.training_step, watched_step
    try:
        reference(simple=preset == "td-s")(classify, seed).fit(X, y)
    except NoTrainingError:
        pass
    finally:
        module.training_step = step
    return stds[-4:]  # before them there is preprocessing


def run(arguments):
    """Measure what is not known yet."""
    kinds = {"ours": (curves_of_ours, first_scores_of_ours)}
    if importlib.util.find_spec("pytabkit"):
        kinds["reference"] = curves_of_reference, first_scores_of_reference
    figures = {"name": arguments.only, "preset": arguments.preset, "ours": {}, "reference": {}}
    if arguments.json and arguments.json.exists():
        figures = json.loads(arguments.json.read_text())
    X, X_test, y, y_test, classify = load(arguments.data, figures["name"], 0)
    for seed in range(arguments.seeds):
        for who, (curves, first_scores) in kinds.items():
            if str(seed) in figures[who]:
                continue
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model, losses, errors = curves(figures["preset"], classify, seed, X, y)
                first = first_scores(figures["preset"], classify, seed, X, y)
            measured = {
                "error": error(y_test, model.predict(X_test)),
                "loss": losses,
                "held_out": errors,
                "first": first,
            }
            figures[who][str(seed)] = {key: np.round(value, 6).tolist() for key, value in measured.items()}
            print(f"{who:10s} {seed} {measured['error']:.5f} {time.perf_counter() - start:.0f} s", flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(figures))
    show(figures)


def show(figures):
    """Means over seeds, with their standard errors."""
    for who, runs in figures.items():
        if who not in NAMES or len(runs) < 2:
            continue
        errors = np.array([one["error"] for one in runs.values()])
        spread = errors.std(ddof=1) / np.sqrt(len(errors))
        print(f"{NAMES[who]}: test error {errors.mean():.4f} +- {spread:.4f} over {len(errors)} seeds")
        for key in ("loss", "held_out"):
            means = np.mean([one[key] for one in runs.values()], axis=0)
            print(f"  {key}: " + ", ".join(f"{epoch}: {means[epoch - 1]:.4f}" for epoch in EPOCHS))
        first = np.array([one["first"] for one in runs.values()])
        spread = first.std(axis=0, ddof=1) / np.sqrt(len(first))
        print(f"  before the first step: {first.mean(axis=0).round(3)} +- {spread.round(3)}")


def draw(figures, path):
    """Loss and error of every seed, in one colour for each implementation."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2)
    for who, color in (("reference", "C1"), ("ours", "C0")):
        for panel, key in zip(panels, ("loss", "held_out"), strict=True):
            for i, one in enumerate(figures[who].values()):
                epochs = range(1, len(one[key]) + 1)
                label = f"{NAMES[who]}, {len(figures[who])} seeds" if i == 0 else None
                panel.plot(epochs, one[key], color=color, linewidth=0.8, alpha=0.8, label=label)
    panels[0].set_ylabel("training loss")
    panels[1].set_ylabel("error on the rows held out")
    for panel in panels:
        panel.set(xlabel="epoch", yscale="log")
        panel.grid(alpha=0.3)
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
        panel.yaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_major_formatter("{x:g}")
    panels[0].legend(frameon=False)
    figure.savefig(path, dpi=100)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=pathlib.Path, help="the folder with the data sets")
    parser.add_argument("--only", default="letter", help="name of the data set")
    parser.add_argument("--preset", default="td", choices=["td", "td-s"])
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--json", type=pathlib.Path, help="where the curves are kept")
    parser.add_argument(
        "--picture", type=pathlib.Path, help="draw the picture of docs/tabular.md of this file"
    )
    arguments = parser.parse_args()
    if arguments.picture:
        figures = json.loads(arguments.picture.read_text())
        show(figures)
        draw(figures, PICTURE)
    elif arguments.data:
        run(arguments)
    else:
        parser.error("--data or --picture is needed")


if __name__ == "__main__":
    main()
