"""Configuration of a training, and the state that callbacks receive."""

from sklearn_bert._engine.training.config import LoopConfig, TrainingState


def test_a_stage_names_the_fit_and_the_epoch():
    config = LoopConfig(
        n_epochs=3,
        learning_rate=1e-3,
        weight_decay=0.0,
        warmup=0.0,
        schedule="linear",
        seed=0,
        verbose=0,
        label="A fit",
    )
    assert config.stage(2) == "A fit, epoch 2 of 3"


def test_a_state_is_printed_with_its_loss_and_its_score():
    state = TrainingState(
        epoch=2,
        n_epochs=3,
        step=10,
        n_steps=15,
        loss=0.25,
        learning_rate=1e-3,
        validation_score=0.5,
        seconds=4.0,
    )
    assert "epoch 2 of 3" in str(state)
    assert "loss 0.25" in str(state)
    assert "validation score 0.5" in str(state)
