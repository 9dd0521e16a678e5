"""Texts of the page that change: numbers, and what a unit computes."""

from __future__ import annotations

from html import escape

from sknn_scratch.playground.explanation import UnitExplanation
from sknn_scratch.playground.session import Measurement, Session


def numbers(session: Session, measured: Measurement) -> str:
    """The line of counters, losses and scores."""
    score = "accuracy" if session.has_classes else "R²"
    parts = [
        f"epoch <b>{session.n_epochs}</b>",
        f"step <b>{measured.step}</b>",
        f"training loss <b>{measured.train_loss:.4f}</b>",
        f"{score} <b>{measured.train_score:.3f}</b>",
    ]
    if session.test is not None:
        parts += [f"test loss <b>{measured.test_loss:.4f}</b>", f"{score} <b>{measured.test_score:.3f}</b>"]
    return " · ".join(parts)


def explained(before: UnitExplanation, after: UnitExplanation | None) -> str:
    """A table of what a unit computes for a row, before a step, and after it where one was taken."""
    formulas = before.formulas
    head = ["input", "value", "weight", "product", "gradient", *(["weight after the step"] if after else [])]
    rows = []
    for i, term in enumerate(before.terms):
        cells = [f"{n:.4f}" for n in (term.value, term.weight, term.value * term.weight, term.gradient)]
        cells += [f"{after.terms[i].weight:.4f}"] if after else []
        rows.append(
            f"<tr><th scope=row>{escape(term.name)}</th>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
        )
    lines = [
        f"<p><b>{escape(before.title)}</b>, for a point with the target {before.target:g}: the network "
        f"predicts {', '.join(f'{p:.4f}' for p in before.prediction)}, the loss is {before.loss:.4f}"
        + (f", after the step {after.loss:.4f}" if after else "")
        + ".</p>",
        f"<table><tr>{''.join(f'<th scope=col>{name}</th>' for name in head)}</tr>{''.join(rows)}</table>",
    ]
    for name in ("pre_activation", "activation", "delta"):
        value = f"{getattr(before, name):.5g}"
        value += f", after the step {getattr(after, name):.5g}" if after else ""
        lines.append(f"<p><code>{escape(formulas[name])}</code> = <b>{value}</b></p>")
    lines.append(f"<p>The gradient column is <code>{escape(formulas['weights_gradient'])}</code>.</p>")
    return "".join(lines)
