"""transformers' Trainer on the tasks of accuracy.py, at its fastest settings."""

from typing import Any

import numpy as np
import torch
from _learners import Recipe
from _tasks import Task
from _trainer import predict_logits, train

from sklearn_bert._engine.runtime.device import is_bfloat16_fast

# What the loss of transformers' token classification leaves out.
IGNORED = -100
PROBLEMS = {
    "classes": "single_label_classification",
    "labels": "multi_label_classification",
    "numbers": "regression",
}


class TaskTrainer:
    """A new linear layer on the encoder, trained together with it.

    Parameters
    ----------
    task : Task
    recipe : Recipe
        Its ``classes`` are the labels or tags, or one name for a number.
    seed : int
    """

    def __init__(self, task: Task, recipe: Recipe, seed: int) -> None:
        import transformers

        # The new layer is drawn when the model is made.
        transformers.set_seed(seed)
        self._is_tagger = task.kind == "tags"
        options: dict[str, Any] = {"num_labels": len(recipe.classes)}
        auto = transformers.AutoModelForTokenClassification
        if not self._is_tagger:
            auto = transformers.AutoModelForSequenceClassification
            options["problem_type"] = PROBLEMS[task.kind]
        checkpoint = recipe.setup.checkpoint
        self._model = auto.from_pretrained(checkpoint, dtype="float32", **options)
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
        self._task, self._recipe, self._seed = task, recipe, seed

    def fit(self, X: list[Any], y: Any) -> None:
        """Train in bfloat16 if it is fast, as we do, like lengths together."""
        from transformers import DataCollatorForTokenClassification

        encoded = self._encode(X)
        columns = {**encoded, "labels": self._targets(encoded, y)}
        rows = [
            dict(zip(columns, row, strict=True))
            for row in zip(*columns.values(), strict=True)
        ]
        parts: dict[str, Any] = {"processing_class": self._tokenizer}
        if self._is_tagger:
            parts["data_collator"] = DataCollatorForTokenClassification(self._tokenizer)
        arguments = {
            "seed": self._seed,
            "bf16": is_bfloat16_fast(torch.device(self._recipe.setup.device)),
            "train_sampling_strategy": "group_by_length",
        }
        train(self._model, rows, self._recipe, arguments, **parts)

    def predict(self, X: list[Any]) -> Any:
        """Return what ``Task.scores`` take."""
        encoded = self._encode(X)
        outputs = predict_logits(self._model, self._tokenizer, dict(encoded))
        classes = np.asarray(self._recipe.classes)
        if self._is_tagger:
            return self._tags(X, encoded, outputs)
        stacked = np.stack(outputs)
        if self._task.kind == "numbers":
            return stacked[:, 0]
        if self._task.kind == "labels":
            return (stacked > 0).astype(int)
        return classes[stacked.argmax(axis=1)]

    def _encode(self, X: list[Any]) -> Any:
        limit = self._task.options.get("max_length", self._recipe.setup.max_length)
        options = {"truncation": True, "max_length": limit}
        if self._is_tagger:
            return self._tokenizer(X, is_split_into_words=True, **options)
        if isinstance(X[0], tuple):
            first, second = (list(column) for column in zip(*X, strict=True))
            return self._tokenizer(first, second, **options)
        return self._tokenizer(X, **options)

    def _targets(self, encoded: Any, y: Any) -> list[Any]:
        codes = {label: code for code, label in enumerate(self._recipe.classes)}
        if self._is_tagger:
            return [
                [
                    IGNORED if word is None else codes[tags[word]]
                    for word in _first_tokens(encoded.word_ids(row))
                ]
                for row, tags in enumerate(y)
            ]
        if self._task.kind == "classes":
            return [codes[label] for label in y]
        return np.asarray(y, dtype=np.float32).tolist()

    def _tags(self, X: list[Any], encoded: Any, outputs: list[np.ndarray]) -> list[Any]:
        """Return a tag for each word; the commonest where the sentence was cut."""
        commonest = "O" if "O" in self._recipe.classes else self._recipe.classes[0]
        predicted = [[commonest] * len(words) for words in X]
        for row, output in enumerate(outputs):
            for place, word in enumerate(_first_tokens(encoded.word_ids(row))):
                if word is not None:
                    code = output[place].argmax()
                    predicted[row][word] = self._recipe.classes[code]
        return predicted


def _first_tokens(words: list[int | None]) -> list[int | None]:
    """Keep the number of a word at its first token only."""
    before = [None, *words[:-1]]
    return [
        word if word != last else None for word, last in zip(words, before, strict=True)
    ]
