"""What the parameters of an adapter mean for one fit."""

from typing import Any

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.training.adapter.layers import AdapterPlan
from sklearn_bert._engine.training.adapter.library import import_peft
from sklearn_bert._engine.training.adapter.targets import find_targets


def check_same_adapter(estimator: Any) -> None:
    """Refuse to continue with another kind of training than that of the last fit."""
    before = estimator.adapter_
    fitted = (None, None) if before is None else ("lora", before.rank)
    rank = None if estimator.adapter is None else estimator.lora_rank
    if (estimator.adapter, rank) != fitted:
        raise ValueError(
            "adapter and lora_rank must be those of the previous fit, since training "
            f"continues from its weights: adapter={fitted[0]!r}"
            f"{_show_rank(fitted[1])}. Got adapter={estimator.adapter!r}"
            f"{_show_rank(rank)}. Set them as they were then, or call fit with "
            "warm_start=False to start over."
        )


def _show_rank(rank: int | None) -> str:
    return "" if rank is None else f", lora_rank={rank}"


def plan_adapter(
    estimator: Any,
    checkpoint: Checkpoint,
    backend_class: type[Any],
    n_frozen: int,
    *,
    continues: bool,
) -> AdapterPlan:
    """Return the adapter that a fit trains.

    Parameters
    ----------
    estimator : BaseFineTuner
        With an adapter.
    checkpoint : Checkpoint
    backend_class : type
        The class of the backend that runs the checkpoint.
    n_frozen : int
        The number of frozen depths, as returned by
        :func:`~sklearn_bert._fine_tuning.start.count_frozen`.
    continues : bool
        Whether training starts from the adapter of the previous fit.

    Returns
    -------
    AdapterPlan

    Raises
    ------
    ImportError
        If the library of adapters is not installed.
    ValueError
        If there is nothing to adapt, or not what the previous fit has adapted.
    """
    import_peft()
    if n_frozen > checkpoint.architecture.n_layers:
        raise ValueError(
            "adapter must be None if all layers are frozen, since it changes layers. "
            f"Got adapter={estimator.adapter!r} and freeze={estimator.freeze!r}. Lower "
            "freeze, or set adapter=None."
        )
    targets = find_targets(checkpoint, backend_class, n_frozen)
    if not targets:
        raise ValueError(
            "adapter must be None for a model without linear layers. Got "
            f"adapter={estimator.adapter!r} for model {estimator._model_name()!r}. Set "
            "adapter=None, or choose a model such as BERT, RoBERTa or XLM-RoBERTa."
        )
    start = estimator.adapter_ if continues else None
    if start is not None and {*start.down} != {*targets}:
        raise ValueError(
            "freeze must be that of the previous fit if training continues with its "
            f"adapter, which changes {len(start.down)} linear layers. Got "
            f"freeze={estimator.freeze!r}, with which it would change {len(targets)}. "
            "Set freeze as it was then, or call fit with warm_start=False to start "
            "over."
        )
    return AdapterPlan(targets, int(estimator.lora_rank), start)
