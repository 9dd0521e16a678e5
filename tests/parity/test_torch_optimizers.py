"""Optimizers, clipping and schedules beside PyTorch's, step by step in float64."""

import numpy as np
import pytest

from sknn_scratch.core import SGD, Adam, AdamW, Cosine, OneCycle, Progress, RMSprop

torch = pytest.importorskip("torch")

N_STEPS = 20
SIZE = 50

each_scale = pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])


def gradients(scale):
    return scale * np.random.RandomState(1).normal(size=(N_STEPS, SIZE))


def start():
    return np.random.RandomState(0).normal(size=SIZE)


def by_torch(make, scale):
    """The parameters after each step of a PyTorch optimizer."""
    parameter = torch.nn.Parameter(torch.tensor(start(), dtype=torch.float64))
    optimizer, course = make([parameter]), []
    for g in gradients(scale):
        parameter.grad = torch.tensor(g)
        optimizer.step()
        course.append(parameter.detach().numpy().copy())
    return np.array(course)


def by_rule(rule, scale, learning_rate, before_step=lambda t: None):
    """The parameters after each step of a rule of the core."""
    theta, course = start(), []
    state = rule.init(theta)
    for t, g in enumerate(gradients(scale), start=1):
        before_step(t)
        rule.step(theta, g, state, learning_rate)
        course.append(theta.copy())
    return np.array(course)


def assert_same(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("nesterov", [False, True])
@each_scale
def test_sgd(momentum, nesterov, scale):
    """PyTorch's velocity is without the learning rate; where that is constant, it makes no difference."""
    expected = by_torch(
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=momentum, nesterov=nesterov and momentum > 0), scale
    )
    assert_same(by_rule(SGD(momentum, nesterov), scale, 0.1), expected)


@pytest.mark.parametrize(
    ("beta_1", "beta_2", "epsilon"), [(0.9, 0.999, 1e-8), (0.0, 0.9, 1e-2), (0.99, 0.5, 1e-4)]
)
@each_scale
def test_adam(beta_1, beta_2, epsilon, scale):
    """Ours adds epsilon to sqrt(v), PyTorch to sqrt(v / (1 - beta_2^t)): a factor between the epsilons."""
    rule = Adam(beta_1, beta_2, epsilon)
    actual = by_rule(
        rule, scale, 0.01, lambda t: rule.set_params(epsilon=epsilon * np.sqrt(1 - beta_2**t).item())
    )
    expected = by_torch(lambda p: torch.optim.Adam(p, lr=0.01, betas=(beta_1, beta_2), eps=epsilon), scale)
    assert_same(actual, expected)


@pytest.mark.parametrize("weight_decay", [0.0, 0.01, 0.5])
@pytest.mark.parametrize(
    ("beta_1", "beta_2", "epsilon"), [(0.9, 0.999, 1e-8), (0.0, 0.9, 1e-2), (0.99, 0.5, 1e-4)]
)
@each_scale
def test_adamw(weight_decay, beta_1, beta_2, epsilon, scale):
    expected = by_torch(
        lambda p: torch.optim.AdamW(
            p, lr=0.01, betas=(beta_1, beta_2), eps=epsilon, weight_decay=weight_decay
        ),
        scale,
    )
    assert_same(by_rule(AdamW(weight_decay, beta_1, beta_2, epsilon), scale, 0.01), expected)


@pytest.mark.parametrize(
    ("alpha", "epsilon", "momentum"), [(0.99, 1e-8, 0.0), (0.9, 1e-2, 0.5), (0.5, 1e-6, 0.9)]
)
@each_scale
def test_rmsprop(alpha, epsilon, momentum, scale):
    expected = by_torch(
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=alpha, eps=epsilon, momentum=momentum), scale
    )
    assert_same(by_rule(RMSprop(alpha, epsilon, momentum), scale, 0.01), expected)


@pytest.mark.parametrize("max_norm", [0.5, 6.9, 1e7])  # the norms are about 7 times the scale
@each_scale
def test_clipping(max_norm, scale):
    """PyTorch divides by ||g|| + 1e-6, so what it clips is shorter in the proportion ||g|| to that."""
    rule = SGD(momentum=0.0, max_grad_norm=max_norm)
    for g in gradients(scale):
        theta, norm = np.zeros(SIZE), np.linalg.norm(g)
        parameter = torch.nn.Parameter(torch.tensor(theta))
        parameter.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_([parameter], max_norm)
        expected = parameter.grad.numpy() * ((norm + 1e-6) / norm if norm > max_norm else 1.0)
        rule.step(theta, g.copy(), rule.init(theta), learning_rate=1.0)
        np.testing.assert_allclose(-theta, expected, rtol=1e-12)


def rates_of(make, learning_rate, n_steps):
    """The learning rates of a PyTorch schedule, one a step."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=learning_rate)
    scheduler, rates = make(optimizer), []
    for _ in range(n_steps - 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [*rates, optimizer.param_groups[0]["lr"]]


def rates_by(schedule, learning_rate, n_steps):
    return [schedule(Progress(learning_rate, step=step, n_steps=n_steps)) for step in range(n_steps)]


@pytest.mark.parametrize("final", [0.0, 0.3])
@pytest.mark.parametrize("n_steps", [7, 200])
def test_cosine(final, n_steps):
    expected = rates_of(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=n_steps, eta_min=0.1 * final),
        0.1,
        n_steps,
    )
    np.testing.assert_allclose(rates_by(Cosine(final=final), 0.1, n_steps), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("warmup", "div_factor", "final_div_factor"), [(0.3, 25.0, 1e4), (0.0, 25.0, 1e4), (0.55, 4.0, 10.0)]
)
@pytest.mark.parametrize("n_steps", [7, 200])
def test_one_cycle(warmup, div_factor, final_div_factor, n_steps):
    expected = rates_of(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o,
            max_lr=0.1,
            total_steps=n_steps,
            pct_start=warmup,
            div_factor=div_factor,
            final_div_factor=final_div_factor,
            cycle_momentum=False,
        ),
        0.1,
        n_steps,
    )
    actual = rates_by(OneCycle(warmup, div_factor, final_div_factor), 0.1, n_steps)
    np.testing.assert_allclose(actual, expected, rtol=1e-10)
