"""The ways of learning a classifier that are compared: texts and labels to a model.

What is timed is ``fit``, which loads the checkpoint, too. An attribute ``loop_s`` holds
the seconds of it that the training loop took. Each arm imports its library when it is
used, so that one missing library stops no other arm and the memory of each is measured
without the others.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.shared.data import Split
from benchmarks.shared.machine import set_threads
from benchmarks.shared.setup import Arm
from benchmarks.shared.trainer import HuggingFaceTrainer, Recipe

BASELINE = "trainer-default"
# The faster one of these is Trainer at its best.
TUNED = ("trainer-float32-grouped", "trainer-bf16-grouped")
# Learns from pairs of all texts, which takes hours where they are not few.
FOR_FEW_TEXTS = "setfit"


class SklearnBert:
    """This package's fine-tuning."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        from sklearn_bert import BertClassifier

        self._classifier = BertClassifier(
            recipe.setup.checkpoint,
            max_length=recipe.setup.max_length,
            n_epochs=recipe.n_epochs,
            batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            device=recipe.setup.device,
            random_state=seed,
            callbacks=[self._note],
        )
        self.predict = self._classifier.predict

    def fit(self, X: list[str], y: np.ndarray) -> None:
        """Train; the linear model that training starts from is part of it."""
        self._classifier.fit(X, y)

    def _note(self, state: Any) -> None:
        self.loop_s = state.seconds


class SetFit:
    """SetFit: contrastive training on pairs of texts, then a logistic regression."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self._recipe, self._seed = recipe, seed

    def fit(self, X: list[str], y: np.ndarray) -> None:
        """Train with SetFit's own defaults; only the length is ours."""
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments, logging
        from transformers import PrinterCallback

        logging.set_verbosity_error()
        setup = self._recipe.setup
        self._model = SetFitModel.from_pretrained(setup.checkpoint, device=setup.device)
        self._model.model_body.max_seq_length = setup.max_length
        arguments = TrainingArguments(
            seed=self._seed,
            report_to="none",
            logging_strategy="no",
            save_strategy="no",
            show_progress_bar=False,
        )
        rows = Dataset.from_dict({"text": X, "label": y})
        trainer = Trainer(self._model, arguments, train_dataset=rows)
        trainer.remove_callback(PrinterCallback)
        trainer.train()

    def predict(self, X: list[str]) -> Any:
        """Return the label of each text."""
        return self._model.predict(X, as_numpy=True, show_progress_bar=False)


def _linear_model(features: Any) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(features, LogisticRegression(max_iter=1000))


def frozen_features(recipe: Recipe, seed: int) -> Any:
    """Return logistic regression on this package's features, which are not trained."""
    from sklearn_bert import BertVectorizer

    setup = recipe.setup
    return _linear_model(
        BertVectorizer(
            setup.checkpoint, max_length=setup.max_length, device=setup.device
        )
    )


def sentence_transformers(recipe: Recipe, seed: int) -> Any:
    """Return logistic regression on the vectors of sentence-transformers."""
    from sentence_transformers import SentenceTransformer
    from sklearn.preprocessing import FunctionTransformer

    def encode(texts: list[str]) -> np.ndarray:
        model = SentenceTransformer(recipe.setup.checkpoint, device=recipe.setup.device)
        model.max_seq_length = recipe.setup.max_length
        return model.encode(texts, show_progress_bar=False)

    return _linear_model(FunctionTransformer(encode))


def tf_idf(recipe: Recipe, seed: int) -> Any:
    """Return logistic regression on TF-IDF of words, scikit-learn's defaults."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return _linear_model(TfidfVectorizer())


def all_arms() -> Iterator[Arm]:
    """Yield every arm, ours first."""
    yield Arm("sklearn_bert", SklearnBert, "sklearn_bert", "auto")
    yield Arm(BASELINE, HuggingFaceTrainer, "accelerate")
    grouped = partial(HuggingFaceTrainer, train_sampling_strategy="group_by_length")
    yield Arm(TUNED[0], grouped, "accelerate")
    yield Arm(TUNED[1], partial(grouped, bf16=True), "accelerate", "bfloat16")
    yield Arm(FOR_FEW_TEXTS, SetFit, "setfit")
    name = "sentence-transformers+LogisticRegression"
    yield Arm(name, sentence_transformers, "sentence_transformers")
    yield Arm("BertVectorizer+LogisticRegression", frozen_features, "sklearn_bert")
    yield Arm("TfidfVectorizer+LogisticRegression", tf_idf, "sklearn")


def train_once(name: str, recipe: Recipe, split: Split) -> None:
    """Train one arm, alone in a process whose peak memory is measured."""
    set_threads(recipe.setup.n_threads)
    arm = next(arm for arm in all_arms() if arm.name == name)
    arm.make(recipe, 0).fit(*split)
