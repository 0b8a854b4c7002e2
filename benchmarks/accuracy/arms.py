"""One job: an arm trains once and predicts once, in a process of its own."""

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from benchmarks.accuracy.tasks import TASKS, Task
from benchmarks.shared.machine import set_threads
from benchmarks.shared.trainer import HuggingFaceTrainer, Recipe
from sklearn_bert._engine.runtime.device import is_bfloat16_fast

OURS = "sklearn_bert"
LINEAR = "linear"
LINEAR_NORMALIZED = "linear, normalize=True"
LINEAR_PEER = "linear, sentence-transformers"
# They draw nothing.
LINEAR_MODELS = {LINEAR, LINEAR_NORMALIZED, LINEAR_PEER}
# One parameter of ours with another value than its default.
CHANGES: dict[str, dict[str, Any]] = {
    "layer_decay=1.0": {"layer_decay": 1.0},
    "learning_rate=1e-4": {"learning_rate": 1e-4},
    "learning_rate=4e-4": {"learning_rate": 4e-4},
    "init='zeros'": {"init": "zeros"},
    "schedule='cosine'": {"schedule": "cosine"},
    "n_epochs=3": {"n_epochs": 3},
    "n_epochs=6": {"n_epochs": 6},
    "pooling='cls'": {"pooling": "cls"},
    **{
        # The learning rate is ten times the default, or the one that is named.
        f"adapter='lora'{name}": {"adapter": "lora", "learning_rate": rate}
        for name, rate in {
            "": "auto",
            ", learning_rate=5e-4": 5e-4,
            ", learning_rate=1e-3": 1e-3,
            ", learning_rate=4e-3": 4e-3,
        }.items()
    },
}


@dataclass(frozen=True)
class Job:
    """One fit.

    Attributes
    ----------
    task, arm : str
    seed, fold : int
    n_rows : int or None
        Rows to train on and to test on, None for all.
    is_held_out : bool
        Whether to score on other rows of the training set, drawn with the seed.
    data : str
        The folder of all data sets.
    recipe : Recipe
    """

    task: str
    arm: str
    seed: int
    fold: int
    n_rows: int | None
    is_held_out: bool
    data: str
    recipe: Recipe


def train_and_score(job: Job) -> dict[str, Any]:
    """Return the scores on the test rows, and the seconds that the training took."""
    task = next(task for task in TASKS if task.name == job.task)
    read, part = (task.hold_out, job.seed) if job.is_held_out else (task.load, job.fold)
    (X, y), (X_test, y_test) = read(Path(job.data), job.n_rows, part)
    setup = job.recipe.setup
    set_threads(setup.n_threads)
    setup = replace(setup, max_length=task.options.get("max_length", setup.max_length))
    learner = ARMS[job.arm](task, replace(job.recipe, setup=setup), job.seed)
    start = time.perf_counter()
    learner.fit(X, y)
    seconds = time.perf_counter() - start
    predicted = learner.predict(X_test)
    scores = {
        name: float(score(y_test, predicted)) for name, score in task.scores.items()
    }
    return {"scores": scores, "seconds": seconds}


def ours(task: Task, recipe: Recipe, seed: int, **change: Any) -> Any:
    """Return the package's estimator: its defaults, the task's options, the recipe."""
    options = {
        "n_epochs": recipe.n_epochs,
        "batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "max_length": recipe.setup.max_length,
        "device": recipe.setup.device,
        "random_state": seed,
    }
    options |= {**task.options, **change}
    return task.estimator(recipe.setup.checkpoint, **options)


def trainer(task: Task, recipe: Recipe, seed: int) -> Any:
    """Return Trainer at its fastest: bfloat16 where we use it, grouped by length."""
    is_fast = is_bfloat16_fast(torch.device(recipe.setup.device))
    return HuggingFaceTrainer(
        recipe, seed, task.kind, bf16=is_fast, train_sampling_strategy="group_by_length"
    )


def linear_model(task: Task, recipe: Recipe, seed: int, **change: Any) -> Any:
    """Return scikit-learn's linear models on the package's features.

    ``seed`` is not used: nothing is drawn.
    """
    from sklearn_bert import BertVectorizer

    options = {"max_length": recipe.setup.max_length, **task.options, **change}
    vectorizer = BertVectorizer(
        recipe.setup.checkpoint, device=recipe.setup.device, **options
    )
    classifier = LogisticRegression(max_iter=1000)
    models = {
        "classes": classifier,
        "labels": OneVsRestClassifier(classifier),
        "numbers": Ridge(),
    }
    return make_pipeline(vectorizer, models[task.kind])


def linear_model_of_peer(task: Task, recipe: Recipe, seed: int) -> Any:
    """Return logistic regression on the vectors of sentence-transformers.

    ``seed`` is not used: nothing is drawn.
    """
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(recipe.setup.checkpoint, device=recipe.setup.device)
    return make_pipeline(
        FunctionTransformer(encoder.encode), LogisticRegression(max_iter=1000)
    )


ARMS = {
    OURS: ours,
    "trainer": trainer,
    LINEAR: linear_model,
    LINEAR_NORMALIZED: partial(linear_model, normalize=True),
    LINEAR_PEER: linear_model_of_peer,
    **{name: partial(ours, **change) for name, change in CHANGES.items()},
}
