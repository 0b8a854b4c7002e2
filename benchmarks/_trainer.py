"""transformers' Trainer as one of the learners."""

from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from _labelled import Labelled
from _learners import Goal, Recipe
from _measure import Clock

# Texts per forward when the model predicts, outside the clock.
PREDICTION_BATCH_SIZE = 64


def train(
    model: Any,
    rows: list[dict[str, Any]],
    recipe: Recipe,
    arguments: dict[str, Any],
    **parts: Any,
) -> None:
    """Let Trainer train a model; ``parts`` are further arguments of its own."""
    from transformers import PrinterCallback, Trainer, TrainingArguments

    with TemporaryDirectory() as folder:
        all_arguments = TrainingArguments(
            folder,
            num_train_epochs=recipe.n_epochs,
            per_device_train_batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            use_cpu=recipe.setup.device == "cpu",
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **arguments,
        )
        trainer = Trainer(model, all_arguments, train_dataset=rows, **parts)
        trainer.remove_callback(PrinterCallback)
        trainer.train()


def predict_logits(
    model: Any, tokenizer: Any, encoded: dict[str, list[Any]]
) -> list[np.ndarray]:
    """Return what the model gives for each text, from plain padded batches."""
    import torch

    lengths = [len(ids) for ids in encoded["input_ids"]]
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    outputs: list[np.ndarray] = [np.empty(0)] * len(order)
    model.eval()
    with torch.no_grad():
        for start in range(0, len(order), PREDICTION_BATCH_SIZE):
            rows = order[start : start + PREDICTION_BATCH_SIZE]
            texts = {
                name: [values[i] for i in rows] for name, values in encoded.items()
            }
            batch = tokenizer.pad(texts, return_tensors="pt")
            logits = model(**batch.to(model.device)).logits.cpu().numpy()
            for row, output in zip(rows, logits, strict=True):
                outputs[row] = output
    model.train()
    return outputs


class HuggingFaceTrainer:
    """transformers' Trainer, with a new linear layer on the encoder."""

    def __init__(self, recipe: Recipe, seed: int, **arguments: Any) -> None:
        import torch
        from transformers import (
            AutoModelForSequenceClassification,
            AutoTokenizer,
            set_seed,
        )

        # The new layer is drawn when the model is made.
        set_seed(seed)
        self._model = AutoModelForSequenceClassification.from_pretrained(
            recipe.setup.checkpoint,
            num_labels=len(recipe.classes),
            dtype=torch.float32,
        )
        self._tokenizer = AutoTokenizer.from_pretrained(recipe.setup.checkpoint)
        self._recipe = recipe
        self._arguments = {"seed": seed, **arguments}
        self.loop_s: float | None = None

    def fit(self, data: Labelled, clock: Clock, goal: Goal | None = None) -> None:
        """Train; rows are plain dicts, which Trainer reads faster than a Dataset."""
        train(
            self._model,
            self._rows(data),
            self._recipe,
            self._arguments,
            # With a tokenizer, batches are padded by DataCollatorWithPadding.
            processing_class=self._tokenizer,
            callbacks=[self._callback(clock, goal)],
        )

    def predict(self, texts: list[str]) -> np.ndarray:
        """Return the label of each text, from plain padded batches of like lengths."""
        encoded = dict(self._encode(texts))
        outputs = np.stack(predict_logits(self._model, self._tokenizer, encoded))
        return np.asarray(self._recipe.classes)[outputs.argmax(axis=1)]

    def _encode(self, texts: list[str]) -> Any:
        max_length = self._recipe.setup.max_length
        return self._tokenizer(texts, truncation=True, max_length=max_length)

    def _rows(self, data: Labelled) -> list[dict[str, Any]]:
        codes = {label: code for code, label in enumerate(self._recipe.classes)}
        columns = dict(self._encode(data.texts))
        columns["labels"] = [codes[label] for label in data.labels]
        return [
            dict(zip(columns, row, strict=True))
            for row in zip(*columns.values(), strict=True)
        ]

    def _callback(self, clock: Clock, goal: Goal | None) -> Any:
        from transformers import TrainerCallback

        learner = self

        class Watch(TrainerCallback):
            """Times the loop, and stops it at the goal."""

            def on_train_begin(self, args, state, control, **kwargs):
                self._start = clock.seconds

            def on_epoch_end(self, args, state, control, **kwargs):
                if goal is not None and goal.check(learner, clock):
                    control.should_training_stop = True

            def on_train_end(self, args, state, control, **kwargs):
                learner.loop_s = clock.seconds - self._start

        return Watch()
