"""How much memory and time a step takes for a large model, and what saves memory.

``python -m benchmarks.finetuning.memory --help`` lists the options. The model has the
size of XLM-RoBERTa-base, random weights, and a vocabulary of made-up words. Each fit
runs in a process of its own, whose peak memory includes the interpreter, the libraries
and loading.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.shared import report, setup
from benchmarks.shared.jobs import run_alone
from benchmarks.shared.machine import Noise, set_threads
from benchmarks.shared.measuring import interleave, spread
from benchmarks.shared.setup import log

COLUMNS = {
    "peak_mib": "peak MiB",
    "share": "of full",
    "step_s": "s per step",
    "times_longer": "times full",
    "cpu_s": "CPU s per step",
    "file_mib": "file MiB",
}
FULL = "full"
ARMS: dict[str, dict[str, Any]] = {
    FULL: {},
    "full, gradient checkpointing": {"gradient_checkpointing": True},
    "LoRA": {"adapter": "lora"},
    "LoRA, gradient checkpointing": {"adapter": "lora", "gradient_checkpointing": True},
}
SIZES = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "vocab_size": 250_002,
    "max_position_embeddings": 514,
}
QUICK_SIZES = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "vocab_size": 500,
    "max_position_embeddings": 66,
}
CONTROLS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# [CLS] and [SEP].
N_CONTROLS = 2


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--tokens", type=int, default=64, help="of each text (default: %(default)s)")
    add("--batch-size", type=int, default=32, help="default: %(default)s")
    add("--steps", type=int, default=4, help="of each fit (default: %(default)s)")
    add("--repeats", type=int, default=3, help="rounds (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.tokens, options.batch_size, options.steps, options.repeats = 8, 4, 2, 1
    return options


def save_model(folder: Path, sizes: dict[str, int]) -> None:
    """Write a checkpoint with random weights, whose words are numbers."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig(**sizes, type_vocab_size=1, pad_token_id=0)
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    words = (*CONTROLS, *map(str, range(sizes["vocab_size"] - len(CONTROLS))))
    vocabulary = {word: k for k, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **dict(zip(names, CONTROLS, strict=True))
    ).save_pretrained(folder)


def draw_texts(n_texts: int, n_tokens: int, vocab_size: int) -> list[str]:
    """Return texts of as many tokens each, control tokens included."""
    n_words = vocab_size - len(CONTROLS)
    drawn = np.random.RandomState(0).randint(n_words, size=(n_texts, n_tokens))
    return [" ".join(map(str, row)) for row in drawn[:, N_CONTROLS:]]


def fit_once(
    name: str,
    folder: Path,
    texts: list[str],
    batch_size: int,
    device: str,
    n_threads: int,
) -> dict[str, float]:
    """Fit one arm; return the seconds of a step, and the size of its file."""
    from sklearn_bert import BertClassifier

    set_threads(n_threads)
    labels, ends = np.arange(len(texts)) % 2, []
    classifier = BertClassifier(
        folder,
        n_epochs=2,
        batch_size=batch_size,
        device=device,
        random_state=0,
        callbacks=[
            lambda state: ends.append((time.perf_counter(), time.process_time()))
        ],
        **ARMS[name],
    ).fit(texts, labels)
    # Not the first epoch, in which kernels are chosen.
    n_steps = -(-len(texts) // batch_size)
    step_s, cpu_s = ((end - start) / n_steps for start, end in zip(*ends, strict=True))
    file = folder / "fitted.safetensors"
    classifier.set_params(callbacks=None).save(file)
    n_bytes = file.stat().st_size
    file.unlink()
    return {"step_s": step_s, "cpu_s": cpu_s, "file_mib": n_bytes / 2**20}


def run(options: argparse.Namespace, given: setup.Setup) -> report.Result:
    """Train and measure everything."""
    sizes = QUICK_SIZES if options.quick else SIZES
    n_texts = options.batch_size * options.steps
    texts = draw_texts(n_texts, options.tokens, sizes["vocab_size"])
    settings = setup.describe(
        options, given, "tokens", "batch_size", "steps", "repeats"
    )
    result = report.new_result(
        "memory",
        device=given.device,
        packages=("tokenizers", "peft"),
        settings={**settings, "model": "random, " + _describe(sizes)},
        columns=COLUMNS,
    )
    noise = Noise()
    with TemporaryDirectory() as folder:
        save_model(Path(folder), sizes)

        def measure(name: str) -> dict[str, float]:
            log.info("fitting: %s", name)
            common = (Path(folder), texts, options.batch_size)
            return run_alone(fit_once, name, *common, given.device, given.n_threads)

        rounds = interleave(
            {name: lambda name=name: measure(name) for name in ARMS},
            repeats=options.repeats,
            seed=options.seed,
            settle_s=0.0,
        )
    name = f"{options.batch_size} texts of {options.tokens} tokens"
    result["sets"][name] = {"cpus_of_others": noise.cpus_of_others()}
    result["rows"] = [{"set": name, **row} for row in make_rows(rounds)]
    report.show(result, name, options.json)
    return result


def _describe(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sizes.items())


def make_rows(rounds: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    """Return a row for each arm."""
    columns = {
        arm: {name: [one[name] for one in fits] for name in fits[0]}
        for arm, fits in rounds.items()
    }
    full = columns[FULL]

    def ratios(arm: str, name: str) -> list[float]:
        return [a / b for a, b in zip(columns[arm][name], full[name], strict=True)]

    return [
        {
            "arm": arm,
            "peak_mib": spread(column["peak_rss_mib"]),
            "share": spread(ratios(arm, "peak_rss_mib")),
            "step_s": spread(column["step_s"]),
            "times_longer": spread(ratios(arm, "step_s")),
            "cpu_s": spread(column["cpu_s"]),
            "file_mib": column["file_mib"][0],
        }
        for arm, column in columns.items()
    ]


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
