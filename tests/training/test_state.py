"""A training state goes to JSON and back, also from the names that older checkpoints have."""

import json
import math

import pytest
import torch

from anekdot.training.state import SPIKE_WINDOW, StepResult, TrainingState

OLD = {
    "step": 13, "tokens": 900, "seconds": 1.5, "best_bits_per_byte": 2.5, "best_step": 10,
    "evaluated": 10, "sampled": 5, "worse": 1, "rate_scale": 0.5, "ways_back": 1,
    "losses": [3.0, 2.5], "pending": [[2.5, 0.0, 70, 140, 0.1], [2.25, 1.0, 71, 141, 0.2]],
    "micro_batch": 4,
}  # fmt: skip


def test_a_state_of_the_old_names_is_read():
    state = TrainingState.from_json(OLD)
    assert (state.last_evaluation, state.last_sample, state.evaluations_since_best) == (10, 5, 1)
    assert (state.lr_scale, state.rollbacks, state.recent_losses) == (0.5, 1, [3.0, 2.5])
    assert state.unrecorded == [
        StepResult(2.5, 0.0, 70, 140, 0.1),
        StepResult(2.25, 1.0, 71, 141, 0.2),
    ]
    assert (state.step, state.tokens, state.best_step, state.micro_batch) == (13, 900, 10, 4)


def test_json_and_back_is_the_same():
    state = TrainingState.from_json(OLD)
    assert TrainingState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_tensors_become_numbers_and_later_changes_do_not_reach_them():
    state = TrainingState(step=1, recent_losses=[1.0])
    tenth, zero, four = (torch.tensor(value) for value in (0.1, 0.0, 4.0))
    state.unrecorded.append(StepResult(tenth, zero, 3, 4, 0.5, norm=tenth, overflowed=zero))
    state.loss_scale, state.scale_steps = four, zero
    record = state.to_json()
    state.recent_losses.append(2.0)
    state.unrecorded.clear()
    assert record["recent_losses"] == [1.0]
    assert record["unrecorded"] == [
        {
            "loss": float(tenth), "skipped": 0.0, "targets": 3, "bytes": 4, "seconds": 0.5,
            "norm": float(tenth), "overflowed": 0.0,
        }
    ]  # fmt: skip
    assert (record["loss_scale"], record["scale_steps"]) == (4.0, 0.0)
    json.dumps(record)


@pytest.mark.parametrize("change", [{"stepz": 1}, {"unrecorded": [{"los": 1}]}])
def test_another_version_is_refused(change):
    with pytest.raises(TypeError):
        TrainingState.from_json(OLD | change)


FORGED = [
    {"step": -1}, {"step": "16"}, {"step": 16.0}, {"step": []}, {"step": True},
    {"tokens": "many"}, {"tokens": -4}, {"seconds": "x"}, {"seconds": -1.0}, {"seconds": []},
    {"best_bits_per_byte": "x"}, {"best_bits_per_byte": [1]}, {"best_step": 10**9},
    {"last_evaluation": None}, {"last_sample": {}}, {"evaluations_since_best": -1},
    {"lr_scale": -0.5}, {"lr_scale": "1"}, {"lr_scale": 7}, {"rollbacks": []},
    {"recent_losses": 1}, {"recent_losses": {}}, {"recent_losses": ["x"]},
    {"recent_losses": [float("nan")]}, {"recent_losses": [10**400]}, {"unrecorded": None},
    {"unrecorded": 5}, {"unrecorded": "12345"}, {"unrecorded": [1]}, {"unrecorded": [[]]},
    {"unrecorded": [{"loss": "x", "skipped": 0, "targets": 1, "bytes": 1, "seconds": 1}]},
    {"unrecorded": [[2.5, 0.0, "7", 1, 0.1]]}, {"unrecorded": [[2.5, 0.0, 7, 1, 0.1]] * 100},
    {"micro_batch": -8}, {"micro_batch": "auto"}, {"overtake_step": "x"},
]  # fmt: skip


@pytest.mark.parametrize("change", FORGED, ids=str)
def test_a_forged_value_is_refused(change):
    with pytest.raises((TypeError, ValueError)):
        TrainingState.from_json(OLD | change)


def test_a_spike_stands_out_of_the_last_losses_only_when_they_are_many():
    state = TrainingState(recent_losses=[2.0, 4.0] * (SPIKE_WINDOW // 2))
    assert state.spike_threshold() == 3.0 + 6.0
    state.recent_losses.pop()
    assert state.spike_threshold() == math.inf
