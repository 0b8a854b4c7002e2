"""transformers' Trainer as one of the arms."""

import time
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.shared.setup import Setup

# Rows per forward pass in predict, which is not timed.
PREDICTION_BATCH_SIZE = 64
# What the loss of transformers' token classification leaves out.
IGNORED = -100
PROBLEMS = {
    "classes": "single_label_classification",
    "labels": "multi_label_classification",
    "numbers": "regression",
}


@dataclass(frozen=True)
class Recipe:
    """How all arms train.

    Attributes
    ----------
    setup : Setup
    n_epochs, batch_size : int
    learning_rate : float
    """

    setup: Setup
    n_epochs: int
    batch_size: int
    learning_rate: float


class HuggingFaceTrainer:
    """A new linear layer on the encoder, trained together with it.

    Parameters
    ----------
    recipe : Recipe
    seed : int
    kind : {"classes", "labels", "numbers", "tags"}
        Of the target.
    **arguments
        More arguments of ``TrainingArguments``.

    Attributes
    ----------
    loop_s : float
        Of ``fit``, the seconds of the training loop alone.
    """

    def __init__(
        self, recipe: Recipe, seed: int, kind: str = "classes", **arguments: Any
    ) -> None:
        self._recipe, self._seed = recipe, seed
        self._kind, self._arguments = kind, arguments

    def fit(self, X: list[Any], y: Any) -> None:
        """Load the checkpoint and train; rows are plain dicts, faster than Dataset."""
        import transformers

        checkpoint = self._recipe.setup.checkpoint
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
        self._classes = self._find_classes(y)
        self._model = self._load(checkpoint)
        encoded = self._encode(X)
        columns = {**encoded, "labels": self._targets(encoded, y)}
        rows = [
            dict(zip(columns, row, strict=True))
            for row in zip(*columns.values(), strict=True)
        ]
        # With a tokenizer, batches are padded by DataCollatorWithPadding.
        parts: dict[str, Any] = {"processing_class": self._tokenizer}
        if self._kind == "tags":
            collator = transformers.DataCollatorForTokenClassification
            parts["data_collator"] = collator(self._tokenizer)
        self._train(rows, parts)

    def _train(self, rows: list[dict[str, Any]], parts: dict[str, Any]) -> None:
        from transformers import PrinterCallback, Trainer, TrainingArguments

        recipe = self._recipe
        with TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder,
                num_train_epochs=recipe.n_epochs,
                per_device_train_batch_size=recipe.batch_size,
                learning_rate=recipe.learning_rate,
                use_cpu=recipe.setup.device == "cpu",
                seed=self._seed,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                **self._arguments,
            )
            trainer = Trainer(self._model, arguments, train_dataset=rows, **parts)
            trainer.remove_callback(PrinterCallback)
            start = time.perf_counter()
            trainer.train()
            self.loop_s = time.perf_counter() - start

    def predict(self, X: list[Any]) -> Any:
        """Return y as the scores take it."""
        encoded = self._encode(X)
        outputs = self._logits(encoded)
        if self._kind == "tags":
            return self._tags(X, encoded, outputs)
        stacked = np.stack(outputs)
        if self._kind == "numbers":
            return stacked[:, 0]
        if self._kind == "labels":
            return (stacked > 0).astype(int)
        return self._classes[stacked.argmax(axis=1)]

    def _load(self, checkpoint: str) -> Any:
        import transformers

        # The new layer is drawn when the model is made.
        transformers.set_seed(self._seed)
        options: dict[str, Any] = {"num_labels": len(self._classes)}
        auto = transformers.AutoModelForTokenClassification
        if self._kind != "tags":
            auto = transformers.AutoModelForSequenceClassification
            options["problem_type"] = PROBLEMS[self._kind]
        return auto.from_pretrained(checkpoint, dtype="float32", **options)

    def _find_classes(self, y: Any) -> np.ndarray:
        if self._kind == "numbers":
            return np.array(["number"])
        if self._kind == "labels":
            return np.arange(y.shape[1])
        return np.unique(np.concatenate(list(y)) if self._kind == "tags" else y)

    def _encode(self, X: list[Any]) -> Any:
        options = {"truncation": True, "max_length": self._recipe.setup.max_length}
        if self._kind == "tags":
            return self._tokenizer(X, is_split_into_words=True, **options)
        if isinstance(X[0], tuple):
            first, second = (list(column) for column in zip(*X, strict=True))
            return self._tokenizer(first, second, **options)
        return self._tokenizer(X, **options)

    def _targets(self, encoded: Any, y: Any) -> list[Any]:
        if self._kind in ("labels", "numbers"):
            return np.asarray(y, dtype=np.float32).tolist()
        codes = {label: code for code, label in enumerate(self._classes)}
        if self._kind == "classes":
            return [codes[label] for label in y]
        return [
            [
                IGNORED if word is None else codes[tags[word]]
                for word in first_tokens(encoded.word_ids(row))
            ]
            for row, tags in enumerate(y)
        ]

    def _logits(self, encoded: Any) -> list[np.ndarray]:
        """Return the model's output for each row, from padded batches."""
        import torch

        lengths = [len(ids) for ids in encoded["input_ids"]]
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        outputs: list[np.ndarray] = [np.empty(0)] * len(order)
        self._model.eval()
        with torch.no_grad():
            for start in range(0, len(order), PREDICTION_BATCH_SIZE):
                rows = order[start : start + PREDICTION_BATCH_SIZE]
                chosen = {
                    name: [values[i] for i in rows] for name, values in encoded.items()
                }
                batch = self._tokenizer.pad(chosen, return_tensors="pt")
                logits = self._model(**batch.to(self._model.device)).logits
                for row, output in zip(rows, logits.cpu().numpy(), strict=True):
                    outputs[row] = output
        return outputs

    def _tags(self, X: list[Any], encoded: Any, outputs: list[np.ndarray]) -> list[Any]:
        """Return a tag for each word, "O" for words that truncation removed."""
        commonest = "O" if "O" in self._classes else self._classes[0]
        predicted = [[commonest] * len(words) for words in X]
        for row, output in enumerate(outputs):
            for place, word in enumerate(first_tokens(encoded.word_ids(row))):
                if word is not None:
                    predicted[row][word] = self._classes[output[place].argmax()]
        return predicted


def first_tokens(words: list[int | None]) -> list[int | None]:
    """Keep the number of a word at its first token only."""
    before = [None, *words[:-1]]
    return [
        word if word != last else None for word, last in zip(words, before, strict=True)
    ]
