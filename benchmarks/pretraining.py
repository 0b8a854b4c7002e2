"""What pre-training by masked language modelling is worth, from scratch and onward.

``python benchmarks/pretraining.py --data DIR --minutes 60`` trains a small BERT from
scratch on ``DIR/books_corpus/books_all.txt`` and prints the loss on held-out lines
beside the entropy of single tokens; then it fine-tunes it, and the same architecture
untrained, on ``DIR/sst2``. With ``--onward SET`` it goes on with the bundled checkpoint
on the training texts of ``DIR/SET``, and fine-tunes it with and without that.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import log
from pathlib import Path
from typing import Any

# The package of this checkout is what is measured, installed or not.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from _checkpoint import DEFAULT
from _labelled import Labelled, read_split
from _report import environment, load_average, usable_cpus, write_json
from _threads import set_threads

from sklearn_bert import BertClassifier, BertMaskedLM

VERSIONS = ["sklearn-bert", "torch", "transformers", "tokenizers", "scikit-learn"]
# Every so many lines of the corpus one is held out.
HELD_OUT = 100
QUICK_LINES, QUICK_TEXTS = 600, 64


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="holds the sets")
    add(
        "--minutes",
        type=float,
        default=60.0,
        help="from scratch (default: %(default)g)",
    )
    add("--epochs", type=int, default=100, help="from scratch, at most")
    add("--n-layers", type=int, default=4, help="default: %(default)s")
    add("--hidden-size", type=int, default=256, help="default: %(default)s")
    add("--n-heads", type=int, default=4, help="default: %(default)s")
    add("--vocab-size", type=int, default=8192, help="default: %(default)s")
    add("--max-length", type=int, default=128, help="default: %(default)s")
    add("--batch-tokens", type=int, default=8192, help="default: %(default)s")
    add("--learning-rate", type=float, default=1e-3, help="default: %(default)g")
    add("--dropout", type=float, default=0.0, help="default: %(default)g")
    add("--checkpoint-dir", type=Path, help="keep the training there, to go on with it")
    add("--tuning", default="sst2", help="set to fine-tune on (default: %(default)s)")
    add("--tuning-epochs", type=int, default=4, help="default: %(default)s")
    # A small model that was begun from scratch knows little that could be lost.
    add("--tuning-rate", type=float, default=5e-4, help="default: %(default)g")
    add("--tuning-decay", type=float, default=1.0, help="default: %(default)g")
    add("--onward", metavar="SET", help="instead, go on with --model on this set")
    add("--onward-epochs", type=int, default=5, help="default: %(default)s")
    add("--model", default=DEFAULT, help="for --onward (default: %(default)s)")
    add(
        "--seeds", type=int, default=3, help="of the fine-tuning (default: %(default)s)"
    )
    add("--threads", type=int, help="CPU threads (default: all usable CPUs)")
    add("--json", type=Path, metavar="FILE", help="write the full result")
    add("--quick", action="store_true", help="tiny: shows that it runs, nothing else")
    options = parser.parse_args(arguments)
    if options.quick:
        options.minutes, options.epochs, options.seeds = 0.1, 1, 1
        options.n_layers, options.hidden_size, options.vocab_size = 1, 32, 500
        options.tuning_epochs = options.onward_epochs = 1
    return options


class Lines:
    """The lines of a corpus that hold words, without or only those held out."""

    def __init__(self, path: Path, *, held_out: bool, n_lines: int | None) -> None:
        self.path, self.held_out, self.n_lines = path, held_out, n_lines

    def __iter__(self) -> Iterator[str]:
        with self.path.open(encoding="utf-8") as file:
            lines = (line.strip() for line in file)
            filled = (line for line in lines if line)
            for row, line in enumerate(islice(filled, self.n_lines)):
                if (row % HELD_OUT == 0) == self.held_out:
                    yield line


def unigram_entropy(model: BertMaskedLM, texts: Iterable[str]) -> float:
    """Return the loss, in nats, of who knows the frequencies of tokens, and no more."""
    tokenizer = model.encoder_.make_tokenizer()
    counts: Counter[int] = Counter()
    for ids in tokenizer.split(list(texts)):
        counts.update(ids)
    total = sum(counts.values())
    return -sum(n / total * log(n / total) for n in counts.values())


def tune(
    model: Any,
    data: dict[str, Labelled],
    options: argparse.Namespace,
    **parameters: float,
) -> list[float]:
    """Fine-tune once for each seed; return the accuracies on the test texts."""
    accuracies = []
    for seed in range(options.seeds):
        classifier = BertClassifier(
            model,
            n_epochs=options.tuning_epochs,
            max_length=options.max_length,
            random_state=seed,
            **parameters,
        )
        classifier.fit(data["train"].texts, data["train"].labels)
        predicted = classifier.predict(data["test"].texts)
        accuracies.append(data["test"].accuracy(predicted))
    return accuracies


def show(name: str, accuracies: Sequence[float]) -> None:
    """Print a mean, its standard deviation, and each seed."""
    spread = np.std(accuracies, ddof=1) if len(accuracies) > 1 else float("nan")
    each = ", ".join(f"{accuracy:.4f}" for accuracy in accuracies)
    print(f"{name}: test accuracy {np.mean(accuracies):.4f} ± {spread:.4f} ({each})")


def read_sets(folder: Path, *, quick: bool) -> dict[str, Labelled]:
    """Return the labelled texts to train and to test with."""
    sets = {}
    for name in ("train", "test"):
        labelled = read_split(folder, name)
        if labelled is None:
            raise SystemExit(f"--data must hold {folder.name}/{name}.tsv. It does not.")
        sets[name] = labelled.draw(QUICK_TEXTS if quick else None, seed=0)
    return sets


def from_scratch(options: argparse.Namespace) -> dict[str, Any]:
    """Pre-train a new model, and compare it with its like that learnt nothing."""
    path = options.data / "books_corpus" / "books_all.txt"
    n_lines = QUICK_LINES if options.quick else None
    texts = Lines(path, held_out=False, n_lines=n_lines)
    held_out = list(Lines(path, held_out=True, n_lines=n_lines))
    model = BertMaskedLM(
        n_layers=options.n_layers,
        hidden_size=options.hidden_size,
        n_heads=options.n_heads,
        vocab_size=options.vocab_size,
        max_length=options.max_length,
        batch_tokens=options.batch_tokens,
        learning_rate=options.learning_rate,
        dropout=options.dropout,
        n_epochs=options.epochs,
        max_time=60 * options.minutes,
        checkpoint_dir=options.checkpoint_dir,
        random_state=0,
        verbose=1,
    )
    start = time.monotonic()
    model.fit(texts)
    seconds = time.monotonic() - start
    result = {
        "seconds": seconds,
        "n_steps": model.n_steps_,
        "n_tokens": model.n_tokens_,
        "loss_curve": model.loss_curve_,
        "held_out_loss": -model.score(held_out),
        "unigram_entropy": unigram_entropy(model, held_out),
    }
    print(
        f"from scratch: {model.n_steps_} steps, {model.n_tokens_:,} tokens in "
        f"{seconds:.0f} s ({model.n_tokens_ / seconds:,.0f} tokens/s, the vocabulary "
        f"included)\nmasked loss on {len(held_out)} held-out lines: "
        f"{result['held_out_loss']:.3f} nats; unigram entropy: "
        f"{result['unigram_entropy']:.3f} nats",
        flush=True,
    )
    untrained = BertMaskedLM(**model.get_params())
    untrained.set_params(
        max_steps=1, learning_rate=1e-12, checkpoint_dir=None, verbose=0
    ).fit(texts)
    data = read_sets(options.data / options.tuning, quick=options.quick)
    for name, start_from in (("pre-trained", model), ("untrained", untrained)):
        result[name] = tune(
            start_from,
            data,
            options,
            learning_rate=options.tuning_rate,
            layer_decay=options.tuning_decay,
        )
        show(f"{name}, fine-tuned on {options.tuning}", result[name])
    return result


def onward(options: argparse.Namespace) -> dict[str, Any]:
    """Go on with a checkpoint on a set's training texts, and compare with it."""
    data = read_sets(options.data / options.onward, quick=options.quick)
    model = BertMaskedLM(
        options.model,
        n_epochs=options.onward_epochs,
        max_length=options.max_length,
        random_state=0,
        verbose=1,
    )
    model.fit(data["train"].texts)
    result: dict[str, Any] = {
        "loss_curve": model.loss_curve_,
        "n_steps": model.n_steps_,
        "n_tokens": model.n_tokens_,
        "held_out_loss": -model.score(data["test"].texts),
    }
    losses = ", ".join(f"{loss:.3f}" for loss in model.loss_curve_)
    print(f"onward on {options.onward}: losses {losses}", flush=True)
    for name, start_from in (("onward", model), ("as it was", options.model)):
        result[name] = tune(start_from, data, options)
        show(f"{name}, fine-tuned on {options.onward}", result[name])
    return result


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments(arguments)
    set_threads(options.threads or usable_cpus())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    result = {
        "options": {name: str(value) for name, value in vars(options).items()},
        "environment": environment(VERSIONS, device),
        "load_average": load_average(),
        **(onward(options) if options.onward else from_scratch(options)),
    }
    if options.json:
        write_json(result, options.json)


if __name__ == "__main__":
    main()
