"""Training the arms in turns, and what is noted of each training."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from _ceiling import synchronizer
from _finetuning_arms import TrainingArm
from _labelled import Labelled
from _learners import Goal, Learner, Recipe
from _measure import Clock, interleave
from _memory import peak_memory
from _report import Noise, first_line, load_average

log = logging.getLogger("benchmark")

# Batches of the training that comes before the rounds.
WARM_UP_BATCHES = 2
# Peak memory is that of one epoch over so many texts.
MEMORY_TEXTS = 1024


@dataclass(frozen=True)
class Plan:
    """What measuring the arms needs.

    Attributes
    ----------
    recipe : Recipe
    train : Labelled
    judged : dict of str to Labelled
        The sets whose accuracy is taken after each training, by name.
    n_seeds : int
        Rounds: each has a seed of its own, the same for all arms.
    seed : int
        Of the order of the arms and of what is drawn.
    settle_s : float
    """

    recipe: Recipe
    train: Labelled
    judged: dict[str, Labelled]
    n_seeds: int
    seed: int
    settle_s: float


def train(
    arm: TrainingArm,
    recipe: Recipe,
    data: Labelled,
    *,
    seed: int,
    goal: Goal | None = None,
) -> tuple[Learner, float]:
    """Load an arm and train it; return it and the seconds without the loading."""
    learner = arm.build(recipe, seed)
    clock = Clock(synchronizer(recipe.setup.device))
    learner.fit(data, clock, goal)
    return learner, clock.seconds


def warm_up(
    plan: Plan, arms: Sequence[TrainingArm], result: dict[str, Any]
) -> list[TrainingArm]:
    """Train each arm for a moment; return those that run here.

    The others get the reason into the result.
    """
    device = plan.recipe.setup.device
    data = plan.train.draw(WARM_UP_BATCHES * plan.recipe.batch_size, plan.seed)
    recipe = replace(plan.recipe, n_epochs=1)
    running = []
    for arm in arms:
        reason = arm.reason_not_to_run(device)
        if reason is None:
            log.info("warming up %s", arm.name)
            try:
                train(arm, recipe, data, seed=plan.seed)
            # One arm that cannot run must not end the others: the tables name it.
            except Exception as error:
                reason = f"not run: {first_line(error)}"
        about = {"not_run": reason} if reason else {"is_head": arm.is_head}
        result["arms"][arm.name] = {"dtype": arm.dtype, **about}
        if reason is None:
            running.append(arm)
    return running


def measure(plan: Plan, arms: Sequence[TrainingArm]) -> dict[str, Any]:
    """Train every arm with every seed; note seconds and accuracies."""
    return _rounds(plan, arms, partial(_train_and_judge, plan))


def race(
    plan: Plan, arms: Sequence[TrainingArm], dev: Labelled, accuracy: float
) -> dict[str, Any]:
    """Train every arm with every seed until it is good enough."""
    return _rounds(plan, arms, partial(_train_to_goal, plan, dev, accuracy))


def memory(plan: Plan, arm: TrainingArm) -> dict[str, float]:
    """Return the peak memory of a process that trains one arm."""
    log.info("memory of %s", arm.name)
    task = {
        "arm": arm.name,
        "recipe": asdict(replace(plan.recipe, n_epochs=1)),
        "data": asdict(plan.train.draw(MEMORY_TEXTS, plan.seed)),
    }
    return peak_memory("_finetuning_arms", task)


def _rounds(
    plan: Plan,
    arms: Sequence[TrainingArm],
    call: Callable[[TrainingArm, int], dict[str, Any]],
) -> dict[str, Any]:
    """Call each arm once a round, the k-th time with seed k."""
    noise = Noise()

    def next_call(arm: TrainingArm, seeds: Any) -> dict[str, Any]:
        seed = next(seeds)
        log.info("seed %d: %s", seed, arm.name)
        return call(arm, seed)

    records = interleave(
        {arm.name: partial(next_call, arm, iter(range(plan.n_seeds))) for arm in arms},
        repeats=plan.n_seeds,
        seed=plan.seed,
        settle_s=plan.settle_s,
    )
    return {
        "load_average": load_average(),
        "cpus_of_others": noise.cpus_of_others(),
        "arms": records,
    }


def _train_and_judge(plan: Plan, arm: TrainingArm, seed: int) -> dict[str, Any]:
    learner, seconds = train(arm, plan.recipe, plan.train, seed=seed)
    accuracies = {
        name: judged.accuracy(learner.predict(judged.texts))
        for name, judged in plan.judged.items()
    }
    return {"seconds": seconds, "loop_seconds": learner.loop_s, **accuracies}


def _train_to_goal(
    plan: Plan, dev: Labelled, accuracy: float, arm: TrainingArm, seed: int
) -> dict[str, Any]:
    goal = Goal(dev, accuracy)
    train(arm, plan.recipe, plan.train, seed=seed, goal=goal)
    return {"seconds": goal.seconds, "scores": goal.scores}
