"""What pre-training by masked language modeling is worth.

``python -m benchmarks.pretraining --data DIR --minutes 60`` trains a small BERT from
scratch on ``DIR/books_corpus/books_all.txt``, and fine-tunes it and the same
architecture untrained on ``DIR/sst2``. With ``--continued SET`` it continues the
pre-training of a checkpoint on the texts of ``DIR/SET`` instead.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared import report, setup
from benchmarks.shared.data import Split, draw, read_labeled
from benchmarks.shared.machine import Noise, set_threads
from benchmarks.shared.measuring import mean_and_sd
from sklearn_bert import BertClassifier, BertMaskedLM

COLUMNS = {
    "test": "test accuracy",
    "loss": "masked loss, nats",
    "unigram_entropy": "unigram entropy, nats",
    "n_steps": "steps",
    "n_tokens": "tokens read",
    "tokens_per_s": "tokens/s",
}
# Every so many lines of the corpus one is held out.
HELD_OUT = 100
QUICK_LINES, QUICK_TEXTS = 600, 64
# What the model is made of, and how it is trained.
ARCHITECTURE = ("n_layers", "hidden_size", "vocab_size")
TRAINING = ("max_length", "batch_tokens", "learning_rate", "dropout")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    parser.set_defaults(max_length=128)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="holds the sets")
    add("--minutes", type=float, default=60.0, help="from scratch (default: 60)")
    add("--n-layers", type=int, default=4, help="default: %(default)s")
    add("--hidden-size", type=int, default=256, help="default: %(default)s")
    add("--vocab-size", type=int, default=8192, help="default: %(default)s")
    add("--batch-tokens", type=int, default=8192, help="default: %(default)s")
    add("--learning-rate", type=float, default=1e-3, help="default: %(default)g")
    add("--dropout", type=float, default=0.0, help="default: %(default)g")
    add("--checkpoint-dir", type=Path, help="save the training there, to resume it")
    add("--tuning", default="sst2", help="set to fine-tune on (default: %(default)s)")
    # A small model that was trained from scratch knows little that could be lost.
    add("--tuning-rate", type=float, default=5e-4, help="default: %(default)g")
    add("--tuning-decay", type=float, default=1.0, help="default: %(default)g")
    add("--continued", metavar="SET", help="continue --model on the texts of this set")
    add("--epochs", type=int, default=5, help="of --continued (default: %(default)s)")
    add("--seeds", type=int, default=3, help="of the fine-tuning (default: 3)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.minutes, options.epochs, options.seeds = 0.1, 1, 1
        options.n_layers, options.hidden_size, options.vocab_size = 1, 32, 500
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
    """Return the loss, in nats, of a model that knows only how frequent tokens are."""
    tokenizer = model.encoder_.make_tokenizer()
    counts: Counter[int] = Counter()
    for ids in tokenizer.split(list(texts)):
        counts.update(ids)
    total = sum(counts.values())
    return -sum(n / total * log(n / total) for n in counts.values())


def read_sets(folder: Path, *, quick: bool) -> tuple[Split, Split]:
    """Return the labeled texts to train on and to test on."""
    train, test = (read_labeled(folder / f"{name}.tsv") for name in ("train", "test"))
    n = QUICK_TEXTS if quick else None
    return draw(train, n, 0), draw(test, n, 0)


def tune(
    arm: str, model: Any, name: str, options: argparse.Namespace, **parameters: Any
) -> dict[str, Any]:
    """Fine-tune on a set once for each seed; return a row with the test accuracy."""
    (X, y), (X_test, y_test) = read_sets(options.data / name, quick=options.quick)
    accuracies = []
    for seed in range(options.seeds):
        classifier = BertClassifier(
            model,
            n_epochs=1 if options.quick else 4,
            max_length=options.max_length,
            device=options.device or "auto",
            random_state=seed,
            **parameters,
        ).fit(X, y)
        accuracies.append(float(np.mean(classifier.predict(X_test) == y_test)))
    return {"set": name, "arm": arm, "test": mean_and_sd(accuracies)}


def from_scratch(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Pre-train a new model, and compare it with the same architecture untrained."""
    path = options.data / "books_corpus" / "books_all.txt"
    n_lines = QUICK_LINES if options.quick else None
    texts = Lines(path, held_out=False, n_lines=n_lines)
    held_out = list(Lines(path, held_out=True, n_lines=n_lines))
    model = BertMaskedLM(
        **{name: getattr(options, name) for name in (*ARCHITECTURE, *TRAINING)},
        n_heads=max(options.hidden_size // 64, 1),
        # The time decides.
        n_epochs=1 if options.quick else 100,
        max_time=60 * options.minutes,
        checkpoint_dir=options.checkpoint_dir,
        device=options.device or "auto",
        random_state=0,
        verbose=1,
    )
    # Its weights are drawn; one step at this rate changes none of them.
    untrained = BertMaskedLM(**model.get_params()).set_params(
        max_steps=1, learning_rate=1e-12, checkpoint_dir=None, verbose=0
    )
    start = time.monotonic()
    model.fit(texts)
    seconds = time.monotonic() - start
    measured = {
        "loss": -model.score(held_out),
        "unigram_entropy": unigram_entropy(model, held_out),
        "n_steps": model.n_steps_,
        "n_tokens": model.n_tokens_,
        "tokens_per_s": model.n_tokens_ / seconds,
    }
    recipe = {
        "learning_rate": options.tuning_rate,
        "layer_decay": options.tuning_decay,
    }
    trained = tune("pre-trained", model, options.tuning, options, **recipe)
    untrained.fit(texts)
    drawn = tune("untrained", untrained, options.tuning, options, **recipe)
    return [{**trained, **measured}, drawn]


def continued(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Continue a checkpoint on a set's training texts, and compare with it."""
    name = options.continued
    train, test = read_sets(options.data / name, quick=options.quick)
    model = BertMaskedLM(
        options.model,
        n_epochs=options.epochs,
        max_length=options.max_length,
        device=options.device or "auto",
        random_state=0,
        verbose=1,
    ).fit(train[0])
    measured = {
        "loss": -model.score(test[0]),
        "n_steps": model.n_steps_,
        "n_tokens": model.n_tokens_,
    }
    after = tune("pre-training continued", model, name, options)
    return [{**after, **measured}, tune("as published", options.model, name, options)]


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments(arguments)
    given = setup.make_setup(options)
    set_threads(given.n_threads)
    fields = (*ARCHITECTURE, *TRAINING[1:], "minutes", "tuning_rate", "tuning_decay")
    if options.continued:
        fields = ("epochs",)
    result = report.new_result(
        "pretraining",
        device=given.device,
        packages=("tokenizers", "scikit-learn"),
        settings=setup.describe(options, given, *fields, "seeds"),
        columns=COLUMNS,
    )
    noise = Noise()
    result["rows"] = (continued if options.continued else from_scratch)(options)
    name = options.continued or options.tuning
    result["sets"][name] = {"cpus_of_others": noise.cpus_of_others()}
    report.show(result, name, options.json)


if __name__ == "__main__":
    main()
