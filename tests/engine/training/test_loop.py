"""The training loop: learning, interruptions, errors and early stopping."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.readout import PooledReadout
from sklearn_bert._engine.training import loop as module
from sklearn_bert._engine.training.batches import TrainingData
from sklearn_bert._engine.training.config import TrainingConfig
from sklearn_bert._engine.training.heads import LinearHead, SoftmaxLoss
from sklearn_bert._engine.training.loop import FineTuning
from sklearn_bert._engine.training.model.supervised import SupervisedModel
from sklearn_bert._engine.training.model.trainable import make_trainable
from sklearn_bert._engine.training.step_runner import PlainStepRunner
from sklearn_bert.exceptions import DeviceMemoryError, DivergenceError

CPU = torch.device("cpu")
CONFIG = {
    "n_epochs": 2,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "weight_decay": 0.01,
    "layer_decay": 1.0,
    "warmup": 0.1,
    "schedule": "linear",
    "readout": PooledReadout("mean"),
    "contrastive": 0.0,
    "patience": None,
    "seed": 0,
    "verbose": 0,
    "label": "A fit",
}


@pytest.fixture
def make(tiny_bert, texts):
    """Return a function that makes a training on forty texts of two classes."""

    def make(validate=None, callbacks=(), weight=1.0, dropout=0.0, **changes):
        checkpoint = load_checkpoint(locate(str(tiny_bert), None))
        trainable = make_trainable(
            checkpoint,
            CPU,
            torch.float64,
            autocast_dtype=None,
            n_frozen=0,
            dropout=dropout,
            seed=0,
        )
        data = TrainingData(
            checkpoint.tokenizer(texts, None, max_length=32, long_text="truncate"),
            torch.tensor([len(text) > 60 for text in texts], dtype=torch.int64),
            torch.full((len(texts),), weight, dtype=torch.float64),
        )
        head = LinearHead(np.zeros((2, 32)), np.zeros(2)).to_module(CPU, torch.float64)
        seen = []

        def loss(outputs, targets):
            seen.append(weights_of(checkpoint.model, head))
            return SoftmaxLoss()(outputs, targets)

        config = TrainingConfig(**{**CONFIG, **changes})
        training = FineTuning(
            trainable,
            head,
            loss,
            data,
            config,
            validate=validate,
            callbacks=callbacks,
        )
        training.weights = lambda: weights_of(checkpoint.model, head)
        # The weights before each step.
        training.seen = seen
        return training

    return make


def weights_of(model, head):
    tensors = {**model.state_dict(), **head.state_dict(prefix="head.")}
    return {name: tensor.clone() for name, tensor in tensors.items()}


def assert_same(weights, expected, tolerance=0.0):
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=tolerance)


def test_the_loss_falls(make):
    curve = make(n_epochs=12).run().loss_curve
    assert len(curve) == 12
    assert curve[-1] < 0.5 * curve[0]


def test_each_epoch_is_timed_with_its_validation(make, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])

    def validate():
        clock[0] += 2.0
        return 1.0

    assert make(validate, n_epochs=3).run().epoch_times == [2.0, 2.0, 2.0]


def test_every_trained_tensor_changes(make):
    training = make()
    before = training.weights()
    training.run()
    after = training.weights()
    still = {name for name, value in before.items() if torch.equal(after[name], value)}
    assert still == set()


def test_a_seed_gives_the_same_weights(make):
    first, second = make(dropout=0.1), make(dropout=0.1)
    first.run()
    second.run()
    assert_same(first.weights(), second.weights())


def test_large_gradients_are_clipped_in_each_step(make, monkeypatch):
    used, step = [], torch.optim.AdamW.step

    def record_norm(self):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        used.append(float(torch.nn.utils.get_total_norm(gradients)))
        step(self)

    monkeypatch.setattr(torch.optim.AdamW, "step", record_norm)
    training = make(weight=1e3)
    training.run()
    assert min(training.log.loss_curve) > 100
    # Their norm, without the rows of the token embedding, is at most 1.
    assert len(used) == training.log.n_steps
    assert max(used) < 1.0001
    assert min(used) > 0.5


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_parts_train_like_the_whole_batch(make, pooling):
    whole, parted = (make(readout=PooledReadout(pooling)) for _ in range(2))
    parted.log.part_size = 3
    whole.run()
    parted.run()
    assert_same(parted.weights(), whole.weights(), 1e-9)


# --- shares of a batch ---------------------------------------------------------------


@pytest.fixture
def in_shares(monkeypatch):
    monkeypatch.setattr("sklearn_bert._engine.training.step_runner.LEAST_TO_SHARE", 1)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_shares_train_like_the_whole_batch(make, in_shares, monkeypatch, pooling):
    shared = make(readout=PooledReadout(pooling))
    shared.run()
    monkeypatch.undo()
    whole = make(readout=PooledReadout(pooling))
    whole.run()
    assert len(shared.seen) == 2 * len(whole.seen)
    assert_same(shared.weights(), whole.weights(), 1e-9)


def test_the_number_of_threads_does_not_change_the_dropout(make, in_shares):
    threads = torch.get_num_threads()
    first, second = make(dropout=0.1), make(dropout=0.1)
    try:
        torch.set_num_threads(1)
        first.run()
        torch.set_num_threads(2)
        second.run()
    finally:
        torch.set_num_threads(threads)
    assert_same(first.weights(), second.weights(), 1e-9)


def test_a_loss_that_compares_texts_has_one_share(make, in_shares):
    training = make(contrastive=0.5)
    training.run()
    assert len(training.seen) == 10


# --- memory ------------------------------------------------------------------------


def test_batches_of_many_tokens_are_trained_in_parts_on_a_cpu(make, monkeypatch):
    whole = make()
    whole.run()
    sizes, forward = [], SupervisedModel.sum_losses

    def record(self, part):
        sizes.append(len(part.batch.input_ids))
        return forward(self, part)

    # Batches of the tiny model stay far below the limit.
    monkeypatch.setattr(SupervisedModel, "sum_losses", record)
    monkeypatch.setattr("sklearn_bert._engine.training.loop._TOKENS_ON_CPU", 40)
    parted = make()
    assert parted.run().n_steps == 10
    assert len(sizes) > 10
    assert max(sizes) <= 40
    assert_same(parted.weights(), whole.weights(), 1e-9)


def memory_error():
    return torch.OutOfMemoryError("out of memory")


@pytest.mark.parametrize("failing", range(10))
def test_memory_errors_change_only_the_part_size(make, disturb_losses, failing):
    undisturbed = make()
    undisturbed.run()
    disturb_losses(lambda call, _: call == failing, memory_error())
    disturbed = make()
    log = disturbed.run()
    assert (log.part_size, log.n_memory_errors) == (4, 1)
    assert log.n_steps == 10
    assert_same(disturbed.weights(), undisturbed.weights(), 1e-9)


def test_parts_are_halved_until_they_fit(make, disturb_losses):
    undisturbed = make()
    undisturbed.run()
    disturb_losses(lambda call, _: call in {0, 1, 2}, memory_error())
    disturbed = make()
    log = disturbed.run()
    assert (log.part_size, log.n_memory_errors) == (1, 3)
    assert_same(disturbed.weights(), undisturbed.weights(), 1e-9)


class Hoarder(PlainStepRunner):
    """Holds memory that only serves speed, like recorded CUDA graphs."""

    holds_memory = True

    def free_memory(self):
        held, self.holds_memory = self.holds_memory, False
        return held


def hoard(monkeypatch):
    """Use a runner that can free memory, as on a GPU."""
    monkeypatch.setattr(
        module,
        "make_step_runner",
        lambda model, optimizer, *_: Hoarder(model.sum_losses, optimizer),
    )


def test_memory_for_speed_is_freed_before_a_batch_is_halved(
    make, monkeypatch, disturb_losses
):
    undisturbed = make()
    undisturbed.run()
    hoard(monkeypatch)
    disturb_losses(lambda call, _: call == 2, memory_error())
    disturbed = make()
    log = disturbed.run()
    assert (log.part_size, log.n_memory_errors) == (8, 0)
    assert_same(disturbed.weights(), undisturbed.weights())


def test_a_batch_is_halved_once_no_more_is_freed(make, monkeypatch, disturb_losses):
    hoard(monkeypatch)
    disturb_losses(lambda call, _: call in {2, 3}, memory_error())
    log = make().run()
    assert (log.part_size, log.n_memory_errors) == (4, 1)


def test_the_memory_error_of_a_single_text_has_sizes(make, disturb_losses):
    disturb_losses(
        lambda call, _: call in range(99), torch.OutOfMemoryError("tried 3 GiB\nmore")
    )
    with pytest.raises(
        DeviceMemoryError, match=r"single text of up to \d+ tokens"
    ) as e:
        make().run()
    for words in ("device 'cpu'", "(tried 3 GiB)", "Lower max_length", "freeze"):
        assert words in str(e.value)


# --- divergence --------------------------------------------------------------------


@pytest.mark.parametrize("step", range(10))
def test_a_non_finite_loss_restores_the_last_epoch(make, disturb_losses, step):
    disturb_losses(lambda call, _: call == step)
    training = make()
    log = training.run()
    assert isinstance(log.error, DivergenceError)
    assert f"at step {step + 1} of 10" in str(log.error)
    assert "learning_rate (it is 0.001)" in str(log.error)
    assert log.n_steps == step
    is_first = step < 5
    kept = "initial weights" if is_first else "weights from the end of epoch 1"
    assert f"The {kept} are kept" in str(log.error)
    assert_same(training.weights(), training.seen[0 if is_first else 5])


@pytest.mark.parametrize("epoch", [1, 2])
def test_non_finite_outputs_end_the_training(make, monkeypatch, epoch):
    training, checks, is_finite = make(), iter(range(1, 9)), torch.isfinite
    # The outputs of some texts are checked after each epoch.
    monkeypatch.setattr(
        torch, "isfinite", lambda x: is_finite(x) & (next(checks) != epoch)
    )
    log = training.run()
    words = f"The outputs became NaN or infinite after step {5 * epoch} of 10"
    assert words in str(log.error)
    assert len(log.loss_curve) == epoch - 1
    assert_same(training.weights(), training.seen[5 * (epoch - 1)])


def test_a_divergence_keeps_the_best_weights_so_far(make, disturb_losses):
    scores = iter([0.9, 0.1])
    disturb_losses(lambda call, _: call == 12)
    training = make(lambda: next(scores), n_epochs=4)
    error = training.run().error
    assert "The best weights (end of epoch 1) are kept" in str(error)
    assert_same(training.weights(), training.seen[5])


def test_an_interrupt_during_a_copy_keeps_the_weights(make, monkeypatch):
    training, scores = None, iter([0.1, 0.9])
    training = make(lambda: next(scores), n_epochs=4)
    copies = training._kept._copies
    original, count = torch.Tensor.copy_, iter(range(10**9))

    def interrupted(self, other):
        # In the middle of the second copy.
        if any(self is one for one in copies) and next(count) == len(copies) + 3:
            raise KeyboardInterrupt
        return original(self, other)

    monkeypatch.setattr(torch.Tensor, "copy_", interrupted)
    log = training.run()
    assert (log.was_interrupted, log.best_epoch) == (True, 2)
    monkeypatch.undo()
    assert len(training.seen) == 10
    assert not torch.equal(
        training.weights()["head.weight"], training.seen[5]["head.weight"]
    )


# --- ending early ------------------------------------------------------------------


def test_the_best_weights_are_kept(make):
    training, seen, scores = None, [], iter([0.5, 0.9, 0.7, 0.8])

    def validate():
        seen.append(training.weights())
        return next(scores)

    training = make(validate, n_epochs=4)
    log = training.run()
    assert (log.best_epoch, log.validation_scores) == (2, [0.5, 0.9, 0.7, 0.8])
    assert_same(training.weights(), seen[1])


def test_a_score_of_nan_is_never_the_best(make):
    scores = iter([float("nan"), 0.4, 0.3])
    assert make(lambda: next(scores), n_epochs=3).run().best_epoch == 2


def test_patience_counts_epochs_since_the_best(make):
    scores = iter([0.5, 0.9, 0.7, 0.9, 0.95])
    log = make(lambda: next(scores), n_epochs=5, patience=2).run()
    assert len(log.loss_curve) == 4


def test_validation_changes_nothing_in_training(make):
    plain, validated = make(dropout=0.1), make(lambda: 0.0, dropout=0.1)
    plain.run()
    log = validated.run()
    assert log.best_epoch == 1
    np.testing.assert_array_equal(log.loss_curve, plain.log.loss_curve)


def test_callbacks_receive_the_state_of_the_fit(make):
    states = []
    make(lambda: 0.25, callbacks=[states.append]).run()
    last = states[-1]
    assert [state.epoch for state in states] == [1, 2]
    assert (last.n_epochs, last.step, last.n_steps) == (2, 10, 10)
    assert last.validation_score == 0.25
    assert 0 < last.learning_rate < 1e-3
    assert last.loss < states[0].loss
    assert last.seconds > 0


def test_a_callback_that_returns_true_ends_the_training(make):
    later = []
    callbacks = [lambda state: state.epoch == 2, later.append]
    assert len(make(callbacks=callbacks, n_epochs=5).run().loss_curve) == 2
    assert len(later) == 2


def test_an_interrupt_keeps_the_current_weights(make, disturb_losses):
    disturb_losses(lambda call, _: call == 5, KeyboardInterrupt)
    training = make()
    log = training.run()
    assert log.was_interrupted
    assert (log.n_steps, len(log.loss_curve)) == (5, 1)
    assert_same(training.weights(), training.seen[5])


def test_an_interrupt_keeps_the_best_weights_if_there_are_any(make, disturb_losses):
    training, seen, scores = None, [], iter([0.9, 0.1])

    def validate():
        seen.append(training.weights())
        return next(scores)

    disturb_losses(lambda call, _: call == 12, KeyboardInterrupt)
    training = make(validate, n_epochs=4)
    assert training.run().was_interrupted
    assert_same(training.weights(), seen[0])


# --- reports -----------------------------------------------------------------------


def test_nothing_is_printed_by_default(make, capfd):
    make().run()
    assert capfd.readouterr() == ("", "")


def test_a_bar_shows_loss_score_and_steps(make, capfd):
    make(lambda: 0.75, verbose=1).run()
    shown = capfd.readouterr().err
    assert "loss=" in shown
    assert "score=0.7500" in shown
    assert "10/10" in shown


def test_a_line_per_epoch_is_printed(make, capsys):
    make(lambda: 0.75, verbose=2).run()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("A fit, epoch 1 of 2: loss 0.")
    assert "validation score 0.7500" in lines[0]


@pytest.mark.parametrize("verbose", [1, 2])
def test_a_stop_by_the_score_is_printed(make, capsys, verbose):
    scores = iter([0.5, 0.9, 0.1, 0.1])
    make(lambda: next(scores), n_epochs=5, patience=2, verbose=verbose).run()
    assert capsys.readouterr().out.splitlines()[-1] == (
        "A fit, stopped early after epoch 4 of 5: the validation score was best in "
        "epoch 2, whose weights are kept"
    )


def test_a_stop_by_a_callback_is_printed(make, capsys):
    make(callbacks=[lambda state: True], verbose=2).run()
    assert capsys.readouterr().out.splitlines()[-1] == (
        "A fit, stopped early after epoch 1 of 2: a callback returned True"
    )


@pytest.mark.parametrize(
    ("options", "n_stopping"), [({"verbose": 0}, 1), ({"verbose": 1}, 2)], ids=str
)
def test_silent_fits_and_those_that_end_print_no_stop(make, capfd, options, n_stopping):
    make(callbacks=[lambda state: state.epoch == n_stopping], **options).run()
    assert "stopped" not in "".join(capfd.readouterr())


def test_the_bar_of_a_fit_that_stops_early_is_complete(make, capfd):
    make(callbacks=[lambda state: True], verbose=1).run()
    assert "5/5" in capfd.readouterr().err.splitlines()[-1]
