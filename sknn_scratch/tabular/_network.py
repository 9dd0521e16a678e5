"""The network of the recipe, and what belongs to its parameters."""

from sknn_scratch.core import (
    PBLD,
    Activate,
    CategoryEmbedding,
    Columns,
    Dropout,
    Layer,
    Network,
    NeuralTangent,
    Normal,
    ParametricActivate,
    Part,
    Scale,
    Zeros,
)


def make_network(settings, preprocessor, n_outputs, loss):
    """Embeddings, a factor for each input, hidden layers with their activation and dropout, and the output.

    Parameters
    ----------
    settings : Preset
        Hyper-parameters, with objects.
    preprocessor : TabularPreprocessor
        Fitted: it knows the columns.
    n_outputs : int
        Raw scores for each row.
    loss : Loss
        The loss.

    Returns
    -------
    Network
        The network.
    """
    parts = _parts(settings, preprocessor)
    layers: list[Layer] = [] if all(part.layer is None for part in parts) else [Columns(parts)]
    width = sum(part.n_outputs for part in parts)
    if settings.scale_layer:
        layers.append(Scale(width))
    kind = ParametricActivate if settings.parametric_activation else Activate
    for n_units in settings.hidden_layer_sizes:
        layers += [NeuralTangent(width, n_units), kind(settings.activation, n_units)]
        if settings.dropout:
            layers.append(Dropout(float(settings.dropout), n_units))
        width = n_units
    first = Zeros() if settings.zero_output else Normal()
    layers.append(NeuralTangent(width, n_outputs, first, first))
    return Network(tuple(layers), loss)


def _parts(settings, preprocessor):
    n_numbers = preprocessor.n_numbers_
    waves = settings.n_frequencies, settings.numerical_embedding_size, settings.numerical_embedding_sigma
    embedding = PBLD(n_numbers, *waves) if settings.numerical_embedding and n_numbers else None
    parts = [Part(n_numbers, embedding), Part(preprocessor.n_one_hot_, None)]
    size = settings.category_embedding_size
    parts += [Part(1, CategoryEmbedding(n_levels, size)) for n_levels in preprocessor.n_levels_]
    return tuple(part for part in parts if part.n_inputs)


def factors(settings):
    """Factors of the learning rate and of the weight decay, by the names of parameters."""
    embedding = float(settings.numerical_embedding_rate)
    rates = {
        "scale": float(settings.scale_rate),
        "bias": float(settings.bias_rate),
        "alpha": float(settings.activation_rate),
        "vectors": float(settings.category_embedding_rate),
        **dict.fromkeys(("frequencies", "phases", "mixture", "offset"), embedding),
    }
    return rates, {"bias": float(settings.bias_decay)}
