"""Whether Parquet to Parquet takes constant memory, and what kills leave.

``python -m benchmarks.encoding.streaming --json FILE`` encodes generated texts with a
tiny random model, once undisturbed and once killed by SIGKILL at random moments.
"""

import argparse
import random
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.finetuning.memory import draw_texts, save_model
from benchmarks.shared import report, setup
from benchmarks.shared.machine import Noise, set_threads
from benchmarks.shared.setup import log

COLUMNS = {
    "seconds": "s",
    "n_files": "files",
    "first_mib": "MiB at a tenth",
    "last_mib": "MiB at the end",
    "slope": "MiB per million rows",
    "kills": "kills",
    "same_files": "same bytes",
    "missing": "rows missing",
    "twice": "rows twice",
}
UNDISTURBED, KILLED = "undisturbed", "killed and resumed"
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 1000,
    "max_position_embeddings": 34,
}
ROWS_PER_FILE = 20_000
QUICK_ROWS, QUICK_ROWS_PER_FILE, QUICK_KILLS = 400, 40, 1
POLL_S = 0.005


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--rows", type=int, default=10**6, help="texts (default: %(default)s)")
    add("--tokens", type=int, default=8, help="of each text (default: %(default)s)")
    add("--kills", type=int, default=10, help="default: %(default)s")
    options = parser.parse_args(arguments)
    options.rows_per_file = ROWS_PER_FILE
    if options.quick:
        options.rows, options.kills = QUICK_ROWS, QUICK_KILLS
        options.rows_per_file = QUICK_ROWS_PER_FILE
    return options


def write_source(path: Path, n_rows: int, n_tokens: int) -> None:
    """Write texts in a single row group, which cannot be skipped in parts."""
    texts = draw_texts(n_rows, n_tokens, SIZES["vocab_size"])
    table = pa.table({"id": np.arange(n_rows), "text": texts})
    pq.write_table(table, path, row_group_size=n_rows)


def work(folder: Path, target: Path, rows_per_file: int, n_threads: int) -> None:
    """Make the call that is killed, or not."""
    from sklearn_bert import BertVectorizer
    from sklearn_bert.streaming import transform_parquet

    set_threads(n_threads)
    transform_parquet(
        BertVectorizer(folder / "model", device="cpu"),
        folder / "source.parquet",
        target,
        columns="text",
        keep=["id"],
        rows_per_file=rows_per_file,
    )


def start(*arguments: Any) -> BaseProcess:
    """Start the call in a process of its own."""
    context = get_context("forkserver")
    # Imported once, for all processes.
    context.set_forkserver_preload(["sklearn_bert", "transformers", "pyarrow.parquet"])
    process = context.Process(target=work, args=arguments)
    process.start()
    return process


def rss_mib(process_id: int) -> float:
    """Return the resident memory of a process, 0 if it has ended."""
    status = Path(f"/proc/{process_id}/status")
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(found[0]) / 2**10 if found else 0.0


def watch(process: BaseProcess, target: Path) -> Iterator[tuple[int, float]]:
    """Yield the number of files and the memory in MiB each time there is another."""
    n_known = 0
    while process.is_alive():
        n_files = len(list(target.glob("*.parquet")))
        memory = rss_mib(process.pid or 0)
        if n_files > n_known and memory:
            yield (n_known := n_files), memory
        time.sleep(POLL_S)


def run_undisturbed(target: Path, *arguments: Any) -> dict[str, Any]:
    """Run the call; return its time, its memory, and how the memory grew."""
    begin, process = time.perf_counter(), start(*arguments)
    seen = np.array(list(watch(process, target)))
    seconds = time.perf_counter() - begin
    check_ended_well(process)
    n_files = len(list(target.iterdir()))
    row: dict[str, Any] = {"seconds": seconds, "n_files": n_files}
    # The first files fill the caches of torch and of the tokenizer.
    later = seen[seen[:, 0] > n_files // 10] if len(seen) else seen
    if len(later) > 1:
        row["first_mib"], row["last_mib"] = later[0, 1], later[-1, 1]
        row["slope"] = np.polyfit(later[:, 0], later[:, 1], 1)[0]
    return row


def run_killed(
    target: Path, kills: int, seconds: float, seed: int, *arguments: Any
) -> dict[str, Any]:
    """Kill the call at random moments, and let it end at last."""
    drawn = random.Random(seed)
    begin = time.perf_counter()
    for k in range(kills):
        process = start(*arguments)
        # Twice the share of each, as starting takes a part of it.
        time.sleep(drawn.uniform(0, 2 * seconds / (kills + 1)))
        process.kill()
        process.join()
        n_files = len(list(target.glob("*.parquet")))
        log.info("kill %d: %d files are finished", k + 1, n_files)
    process = start(*arguments)
    process.join()
    check_ended_well(process)
    return {
        "seconds": time.perf_counter() - begin,
        "kills": kills,
        "n_files": len(list(target.iterdir())),
    }


def check_ended_well(process: BaseProcess) -> None:
    """Raise an error if the call has failed."""
    process.join()
    if process.exitcode:
        raise RuntimeError(f"the call ended with exit code {process.exitcode}")


def compare(target: Path, expected: Path, n_rows: int) -> dict[str, Any]:
    """Compare the files, and count the rows of the source that are in them."""
    contents = [
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (target, expected)
    ]
    ids = pq.read_table(target, columns=["id"])["id"].to_numpy()
    counts = np.bincount(ids, minlength=n_rows)
    if not (np.diff(ids) > 0).all():
        log.warning("the rows are not in order")
    return {
        "same_files": contents[0] == contents[1],
        "missing": int((counts == 0).sum()),
        "twice": int((counts > 1).sum()),
    }


def run(options: argparse.Namespace, n_threads: int) -> report.Result:
    """Run both, and compare what they have written."""
    settings = {
        "model": "random, " + ", ".join(f"{k}={v}" for k, v in SIZES.items()),
        "n_threads": n_threads,
        "seed": options.seed,
        "quick": options.quick,
        "tokens": options.tokens,
        "rows_per_file": options.rows_per_file,
    }
    result = report.new_result(
        "streaming",
        device="cpu",
        packages=("tokenizers", "pyarrow"),
        settings=settings,
        columns=COLUMNS,
    )
    noise = Noise()
    with TemporaryDirectory() as name:
        folder = Path(name)
        log.info("writing %d texts", options.rows)
        save_model(folder / "model", SIZES)
        write_source(folder / "source.parquet", options.rows, options.tokens)
        one, other = folder / "undisturbed", folder / "killed"
        log.info("running undisturbed")
        more = (options.rows_per_file, n_threads)
        undisturbed = run_undisturbed(one, folder, one, *more)
        if "slope" in undisturbed:
            # Per file until here.
            undisturbed["slope"] *= 10**6 / options.rows_per_file
        killed = run_killed(
            other,
            options.kills,
            undisturbed["seconds"],
            options.seed,
            *(folder, other, *more),
        )
        rows = {
            UNDISTURBED: undisturbed | compare(one, one, options.rows),
            KILLED: killed | compare(other, one, options.rows),
        }
    name = f"{options.rows} texts of {options.tokens} tokens"
    result["sets"][name] = {"cpus_of_others": noise.cpus_of_others()}
    result["rows"] = [{"set": name, "arm": arm, **row} for arm, row in rows.items()]
    report.show(result, name, options.json)
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, options.threads or 1)


if __name__ == "__main__":
    main()
