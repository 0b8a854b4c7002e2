"""One job of accuracy.py: train once, test once, in a process of its own."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from _encoders import Setup
from _learners import Recipe
from _task_linear import linear_model
from _task_trainer import TaskTrainer
from _tasks import TASKS, Task

OURS = "sklearn_bert"
TRAINER = "trainer"
LINEAR = "linear"
PEERS = (TRAINER, LINEAR)


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Return the scores on the test rows, and the seconds that the training took.

    Parameters
    ----------
    job : dict
        ``set``, ``seed``, ``fold`` and ``arm``; ``data``, the folder; ``n_rows``, int
        or None; ``recipe``, as fields of Recipe but without classes.
    """
    from _threads import set_threads

    task = next(task for task in TASKS if task.name == job["set"])
    (X, y), (X_test, y_test) = task.load(Path(job["data"]), job["fold"], job["n_rows"])
    settings = job["recipe"]
    setup = Setup(**settings["setup"])
    set_threads(setup.n_threads)
    recipe = Recipe(**{**settings, "setup": setup, "classes": _classes(task, y)})
    learner = ARMS[job["arm"]](task, recipe, job["seed"])
    start = time.perf_counter()
    learner.fit(X, y)
    seconds = time.perf_counter() - start
    predicted = learner.predict(X_test)
    scores = {
        name: float(score(y_test, predicted)) for name, score in task.scores.items()
    }
    return {"scores": scores, "seconds": seconds}


def _classes(task: Task, y: Any) -> list[str]:
    if task.kind == "numbers":
        return ["number"]
    if task.kind == "labels":
        return [str(column) for column in range(y.shape[1])]
    labels = np.concatenate(list(y)) if task.kind == "tags" else y
    return np.unique(labels).tolist()


def _ours(task: Task, recipe: Recipe, seed: int) -> Any:
    """Return the package's estimator: its defaults, the task's options, the recipe."""
    options = {"max_length": recipe.setup.max_length, **task.options}
    return task.estimator(
        recipe.setup.checkpoint,
        n_epochs=recipe.n_epochs,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        device=recipe.setup.device,
        random_state=seed,
        **options,
    )


ARMS = {OURS: _ours, TRAINER: TaskTrainer, LINEAR: linear_model}
