import copy
import math

import numpy as np
import pytest
import reference

from sknn_scratch.core import (
    SCHEDULES,
    Adaptive,
    Constant,
    Cosine,
    CosLog,
    CustomSchedule,
    Exponential,
    FlatCosine,
    InverseScaling,
    OneCycle,
    Plateau,
    Progress,
)

each_schedule = pytest.mark.parametrize("name", sorted(SCHEDULES))


def course(schedule, n_steps, steps_per_epoch=10):
    """The learning rates of a training with lr_init = 0.3 and no plateau."""
    return np.array(
        [
            schedule(
                Progress(0.3, epoch=step // steps_per_epoch, samples_seen=step, step=step, n_steps=n_steps)
            )
            for step in range(n_steps)
        ]
    )


@each_schedule
def test_a_schedule_is_a_pure_function_of_progress(name):
    schedule, progress = SCHEDULES[name](), Progress(0.1, epoch=3, samples_seen=300, plateaus=2)
    before = copy.copy(progress)
    schedule(Progress(7.0, epoch=9))
    rates = {schedule(progress) for _ in range(3)} | {SCHEDULES[name]()(progress)}
    schedule.goes_on_after_plateau(progress)
    assert len(rates) == 1
    assert progress == before
    assert type(rates.pop()) is float


@each_schedule
@pytest.mark.parametrize("step", [0, 1, 28, 29, 30, 57, 99])
def test_every_schedule_is_the_formula_of_its_source(name, step):
    progress = Progress(
        0.3, epoch=step // 10, samples_seen=7 * step, plateaus=step % 3, step=step, n_steps=100
    )
    assert SCHEDULES[name]()(progress) == pytest.approx(0.3 * reference.SCHEDULES[name](progress), rel=1e-10)


@each_schedule
def test_the_learning_rate_given_is_the_greatest_of_the_course(name):
    """Most schedules start from it, one cycle rises to it."""
    rates = course(SCHEDULES[name](), 100)
    assert rates.max() == pytest.approx(0.3, rel=1e-14)
    assert (rates > 0).all()
    assert rates[0] == (0.3 / 25 if name == "one_cycle" else 0.3)


@each_schedule
def test_without_a_plan_a_schedule_is_where_it_starts(name):
    schedule = SCHEDULES[name]()
    unplanned = {schedule(Progress(0.3, step=step)) for step in (0, 1, 1000)}
    assert unplanned == {schedule(Progress(0.3, n_steps=100))}


@each_schedule
@pytest.mark.parametrize("n_steps", [1, 2, 3, 7])
def test_schedules_hold_for_the_shortest_plans_and_beyond_their_end(name, n_steps):
    for kind, settings in [(SCHEDULES[name], {}), (SCHEDULES[name], {"warmup": 0.5})]:
        if settings and "warmup" not in kind.__dataclass_fields__:
            continue
        rates = [kind(**settings)(Progress(0.3, step=step, n_steps=n_steps)) for step in range(n_steps + 3)]
        assert all(0 <= rate <= 0.3 and math.isfinite(rate) for rate in rates)
        assert rates[0] > 0


@pytest.mark.parametrize(
    ("step", "n_steps", "fraction"), [(0, 0, 0), (9, 0, 0), (0, 8, 0), (2, 8, 0.25), (9, 8, 1)]
)
def test_the_fraction_is_the_share_of_planned_steps(step, n_steps, fraction):
    assert Progress(0.1, step=step, n_steps=n_steps).fraction == fraction


def test_constant_never_changes_and_stops_at_a_plateau():
    progress = Progress(0.1, epoch=9, samples_seen=900, plateaus=3)
    assert Constant()(progress) == 0.1
    assert not Constant().goes_on_after_plateau(progress)


@pytest.mark.parametrize("power_t", [0.0, 0.5, 2.0])
def test_inverse_scaling_is_a_power_of_samples_seen(power_t):
    for samples_seen in (0, 1, 200, 10**9):
        rate = InverseScaling(power_t)(Progress(0.1, samples_seen=samples_seen))
        assert rate == pytest.approx(0.1 / (samples_seen + 1) ** power_t, rel=1e-14)
    assert not InverseScaling(power_t).goes_on_after_plateau(Progress(0.1))


def test_adaptive_takes_a_fifth_at_each_plateau_until_a_millionth():
    rates = [Adaptive()(Progress(0.1, plateaus=plateaus)) for plateaus in range(9)]
    np.testing.assert_allclose(rates, [0.1 / 5**plateaus for plateaus in range(9)], rtol=1e-14)
    goes_on = [Adaptive().goes_on_after_plateau(Progress(0.1, plateaus=plateaus)) for plateaus in range(9)]
    assert goes_on == [rate > 1e-6 for rate in rates]
    assert goes_on.index(False) == 8


def test_a_steep_inverse_scaling_underflows_to_zero_instead_of_overflowing():
    assert InverseScaling(power_t=200.0)(Progress(0.1, samples_seen=1000)) == 0


@pytest.mark.parametrize("final", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("n_steps", [1, 10, 1000])
def test_cosine_is_the_papers_formula(final, n_steps):
    """Loshchilov & Hutter (2017), equation 5, with one period and eta_min = final lr_init."""
    least, step = 0.3 * final, np.arange(n_steps)
    expected = least + (0.3 - least) / 2 * (1 + np.cos(step / n_steps * np.pi))
    np.testing.assert_allclose(course(Cosine(final=final), n_steps), expected, rtol=1e-12, atol=1e-15)
    at_the_end = Cosine(final=final)(Progress(0.3, step=n_steps, n_steps=n_steps))
    assert at_the_end == pytest.approx(least, abs=1e-15)


def test_cosine_after_a_warm_up_is_the_cosine_of_the_steps_left():
    rates = course(Cosine(warmup=0.2), 100)
    np.testing.assert_allclose(rates[:20], 0.3 * np.arange(1, 21) / 20, rtol=1e-12)
    np.testing.assert_allclose(rates[20:], course(Cosine(), 80), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", [Exponential, Plateau])
def test_a_warm_up_rises_in_equal_parts_to_the_schedule_itself(kind):
    rates, plain = course(kind(warmup=0.25), 50), course(kind(), 50)
    part = np.arange(1, 51) / 12.5
    np.testing.assert_allclose(rates, plain * np.minimum(part, 1), rtol=1e-12)
    assert (rates[12:] == plain[12:]).all()


@pytest.mark.parametrize(("warmup", "div_factor", "final_div_factor"), [(0.3, 25.0, 1e4), (0.5, 4.0, 10.0)])
def test_one_cycle_goes_up_and_down_half_a_cosine(warmup, div_factor, final_div_factor):
    rates = course(OneCycle(warmup, div_factor, final_div_factor), 100)
    peak, first = round(100 * warmup) - 1, 0.3 / div_factor
    up, down = np.arange(peak + 1) / peak, np.arange(100 - peak) / (99 - peak)
    np.testing.assert_allclose(
        rates[: peak + 1], first + (0.3 - first) * (1 - np.cos(np.pi * up)) / 2, rtol=1e-12
    )
    last = first / final_div_factor
    np.testing.assert_allclose(rates[peak:], last + (0.3 - last) * (1 + np.cos(np.pi * down)) / 2, rtol=1e-12)
    assert rates[0] == pytest.approx(first, rel=1e-14)
    assert rates[peak] == pytest.approx(0.3, rel=1e-14)
    assert rates[-1] == pytest.approx(last, rel=1e-12)


@pytest.mark.parametrize("decay", [0.95, 0.5])
def test_exponential_is_a_power_of_finished_epochs(decay):
    expected = 0.3 * decay ** (np.arange(50) // 10)
    np.testing.assert_allclose(course(Exponential(decay), 50), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("factor", "min_factor", "n_cuts"), [(0.1, 1e-3, 3), (0.7, 0.49, 2), (0.7, 0.5, 1), (0.5, 0.9, 0)]
)
def test_plateau_cuts_as_long_as_the_rate_stays_above_the_least(factor, min_factor, n_cuts):
    schedule, progress = Plateau(factor, min_factor), Progress(0.3)
    while schedule.goes_on_after_plateau(progress):
        progress.plateaus += 1
        assert schedule(progress) == pytest.approx(0.3 * factor**progress.plateaus, rel=1e-14)
    assert progress.plateaus == n_cuts


def test_plateau_with_no_least_rate_never_ends_the_training():
    assert Plateau(min_factor=0.0).goes_on_after_plateau(Progress(0.3, plateaus=1000))


def test_a_function_of_ones_own_is_asked_with_the_progress():
    schedule = CustomSchedule(
        lambda progress: np.float32(progress.learning_rate_init * (1 - progress.fraction))
    )
    rates = course(schedule, 4)
    np.testing.assert_allclose(rates, [0.3, 0.225, 0.15, 0.075], rtol=1e-6)
    assert type(schedule(Progress(0.3))) is float
    assert not schedule.goes_on_after_plateau(Progress(0.3))


def test_coslog4_is_the_recipes_formula():
    """Four waves, each twice as long as the one before. They touch 0, which the registry's do not."""
    for fraction in np.linspace(0, 1, 31):
        rate = CosLog()(Progress(0.04, step=round(3000 * fraction), n_steps=3000))
        assert rate == pytest.approx(0.02 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * fraction))), abs=1e-15)
    waves = course(CosLog(), 1500)
    assert [int(np.argmin(waves[start : start + 60])) + start for start in (70, 270, 670)] == [100, 300, 700]
    assert waves.max() <= 0.3
    assert CosLog()(Progress(0.3, step=5)) == 0.3


def test_flat_cos_is_flat_and_then_half_a_cosine():
    rates = course(FlatCosine(), 100) / 0.3
    t = np.arange(100) / 100
    expected = np.where(t < 0.5, 1.0, (1 + np.cos(np.pi * (2 * t - 1))) / 2)
    np.testing.assert_allclose(rates, expected, rtol=1e-12)
    assert FlatCosine()(Progress(0.3, step=5)) == 0.3
