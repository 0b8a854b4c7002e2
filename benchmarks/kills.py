"""Whether a pre-training that is killed again and again ends in the same weights.

``python benchmarks/kills.py --kills 20`` kills a training with SIGKILL at random
moments, starts it anew each time, lets the last one end, and compares its weights with
those of a training that nobody killed. One file must be left of the saving.
"""

import argparse
import pickle
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The package of this checkout is what is tried out, installed or not.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import numpy as np

from sklearn_bert import BertMaskedLM

WORDS = ("the", "a", "film", "plot", "was", "is", "good", "bad", "very", "not", "or")


def make_texts(n_texts: int) -> list[str]:
    """Return texts of random words, the same ones in every process."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 30, n_texts)
    return [" ".join(rng.choice(WORDS, length)) for length in lengths]


def train(folder: Path | None, n_steps: int) -> BertMaskedLM:
    """Train for so many steps, from where the folder says."""
    return BertMaskedLM(
        n_layers=2,
        hidden_size=64,
        n_heads=4,
        vocab_size=100,
        batch_tokens=1024,
        n_epochs=n_steps,
        max_steps=n_steps,
        checkpoint_dir=folder,
        checkpoint_interval=0.0,
        random_state=0,
    ).fit(make_texts(500))


def weights_of(model: BertMaskedLM) -> dict[str, np.ndarray]:
    """Return all weights, those of the head included."""
    return {**model.encoder_.weights, **model._masked_model.head}


def work(folder: Path, n_steps: int) -> None:
    """Be the process that is killed."""
    model = train(folder, n_steps)
    (folder / "model.pickle").write_bytes(pickle.dumps(weights_of(model)))


def kill_again_and_again(folder: Path, n_steps: int, n_kills: int, seed: int) -> int:
    """Start and kill; return how often a process was killed before its end."""
    moments = random.Random(seed)
    command = [sys.executable, __file__, "--work", str(folder), "--steps", str(n_steps)]
    kept = folder / "pretraining.safetensors"
    n_killed = 0
    for _ in range(n_kills):
        worker = subprocess.Popen(command)
        before = kept.stat().st_mtime_ns if kept.exists() else None
        # A process takes seconds to begin; the moments are those of the training.
        while worker.poll() is None:
            if kept.exists() and kept.stat().st_mtime_ns != before:
                break
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 1))
        n_killed += worker.poll() is None
        worker.kill()
        worker.wait()
    subprocess.run(command, check=True)
    return n_killed


def main() -> None:
    """Run the trial from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=600, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.steps)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_killed = kill_again_and_again(
            folder, options.steps, options.kills, options.seed
        )
        found = pickle.loads((folder / "model.pickle").read_bytes())
        left = {path.name for path in folder.iterdir()} - {"model.pickle"}
    expected = weights_of(train(None, options.steps))
    is_equal = found.keys() == expected.keys() and all(
        np.array_equal(found[name], array) for name, array in expected.items()
    )
    print(f"killed {n_killed} of {options.kills} times before the end")
    print(f"weights equal to those of the undisturbed run: {is_equal}")
    print(f"files left: {', '.join(sorted(left))}")
    is_clean = left == {"pretraining.safetensors"}
    sys.exit(not (is_equal and is_clean and n_killed == options.kills))


if __name__ == "__main__":
    main()
