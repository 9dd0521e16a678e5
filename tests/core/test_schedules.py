import copy

import numpy as np
import pytest

from sknn_scratch.core import SCHEDULES, Adaptive, Constant, InverseScaling, Progress

each_schedule = pytest.mark.parametrize("name", sorted(SCHEDULES))


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
def test_training_starts_from_the_learning_rate_given(name):
    assert SCHEDULES[name]()(Progress(0.3)) == 0.3


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
