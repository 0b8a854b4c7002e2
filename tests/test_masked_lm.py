"""BertMaskedLM: it learns, goes on after a kill, and is a model for the others."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertMaskedLM, BertTokenizer, BertVectorizer
from sklearn_bert.exceptions import (
    CheckpointError,
    CheckpointMismatchError,
    DeviceMemoryError,
    DivergenceError,
    InputError,
    InterruptedFitWarning,
    MemoryWarning,
    ResumeError,
)

TINY = {
    "n_layers": 1,
    "hidden_size": 16,
    "n_heads": 2,
    "vocab_size": 120,
    "batch_tokens": 256,
    "learning_rate": 3e-3,
    "device": "cpu",
    "dtype": "float32",
    "random_state": 0,
}
SENTENCES = [
    f"the {a} {b} was {c}"
    for a in ("old", "new")
    for b in ("film", "story")
    for c in ("good", "bad")
] * 12


def make(**changes):
    return BertMaskedLM(**{**TINY, **changes})


@pytest.fixture(scope="module")
def fitted():
    return make(n_epochs=60, vocab_size=60, learning_rate=1e-2).fit(SENTENCES)


def weights_of(estimator):
    return {**estimator.encoder_.weights, **estimator._masked_model.head}


def assert_same_weights(first, second):
    first, second = weights_of(first), weights_of(second)
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array, err_msg=name)


# --- learning --------------------------------------------------------------------


def test_it_learns_what_stands_between_words(fitted):
    assert fitted.loss_curve_[-1] < 0.6 * fitted.loss_curve_[0]
    (gaps,) = fitted.fill_mask(["the [MASK] film was [MASK]"], top_k=2)
    assert {token for token, _ in gaps[0]} == {"old", "new"}
    assert {token for token, _ in gaps[1]} == {"good", "bad"}
    assert sum(share for _, share in gaps[0]) > 0.5


def test_the_loss_begins_at_that_of_guessing_blindly():
    untrained = make(max_steps=1, learning_rate=1e-12).fit(SENTENCES)
    n_tokens = len(untrained.vocabulary_)
    assert untrained.loss_curve_[0] == pytest.approx(np.log(n_tokens), rel=0.05)
    assert untrained.perplexity(SENTENCES) == pytest.approx(n_tokens, rel=0.3)


def test_the_score_is_transformers_log_likelihood(fitted, tmp_path):
    from transformers import AutoModelForMaskedLM

    from sklearn_bert._engine.masking import Masker, text_generator

    fitted.save_pretrained(tmp_path / "model")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "model").eval()
    tokenizer = fitted.encoder_.make_tokenizer()
    masker = Masker(tokenizer, 0.15, whole_words=False)
    found = []
    texts = ["the old film was bad", "the new story was", "was"]
    for ids in tokenizer.cut_up(texts, 128):
        masked = masker(np.array(ids), text_generator(ids, 0))
        with torch.inference_mode():
            scores = model(torch.tensor(masked.ids[None])).logits[0].log_softmax(1)
        found += scores[masked.places, masked.targets].tolist()
    assert fitted.score(texts) == pytest.approx(np.mean(found), abs=1e-5)
    assert fitted.perplexity(texts) == pytest.approx(np.exp(-np.mean(found)), rel=1e-4)


def test_a_score_does_not_depend_on_order_or_on_chunks(fitted):
    texts = SENTENCES[:7]
    alone = [fitted.score([text]) for text in texts]
    assert fitted.score(texts) == pytest.approx(fitted.score(texts[::-1]), abs=1e-6)
    assert min(alone) <= fitted.score(texts) <= max(alone)


def test_one_seed_gives_one_model():
    first, second, other = (
        make(n_epochs=2, random_state=seed).fit(SENTENCES) for seed in (0, 0, 1)
    )
    assert_same_weights(first, second)
    assert first.loss_curve_ == second.loss_curve_ != other.loss_curve_


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_learns_where_gradients_are_switched_off(context):
    with context():
        model = make(max_steps=2).fit(SENTENCES)
    assert_same_weights(model, make(max_steps=2).fit(SENTENCES))


def test_the_global_generators_are_left_alone():
    np.random.seed(0)
    torch.manual_seed(0)
    expected = np.random.random(), torch.rand(1)
    np.random.seed(0)
    torch.manual_seed(0)
    make(max_steps=2, random_state=None).fit(SENTENCES)
    assert (np.random.random(), torch.rand(1)) == expected


def test_texts_may_come_from_a_list_a_generator_or_a_file(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    model = make(max_steps=3).fit(SENTENCES)
    assert_same_weights(model, make(max_steps=3).fit(x for x in SENTENCES))
    assert_same_weights(model, make(max_steps=3).fit(path))
    assert model.score(path) == model.score(iter(SENTENCES)) == model.score(SENTENCES)


def test_long_texts_are_read_to_the_end():
    texts = ["film " * 300, "story " * 300]
    model = make(n_epochs=1, max_length=32, batch_tokens=32).fit(texts)
    assert model.max_length_ == 32
    assert model.n_tokens_ == 600 + 2 * 2 * 10


@pytest.mark.parametrize("limit", [{"max_steps": 3}, {"max_time": 1e-9}])
def test_a_limit_ends_the_training(limit):
    model = make(n_epochs=50, **limit).fit(SENTENCES)
    assert model.n_steps_ == limit.get("max_steps", 0)


def test_the_schedule_goes_by_time_where_time_ends_the_training(monkeypatch):
    from sklearn_bert._engine import pretraining

    ticks = iter(range(10**6))
    monkeypatch.setattr(pretraining.time, "monotonic", lambda: float(next(ticks)))
    seen = []
    factor = pretraining.schedule_factor

    def record(*args):
        seen.append(factor(*args))
        return seen[-1]

    monkeypatch.setattr(pretraining, "schedule_factor", record)
    make(n_epochs=10**4, max_time=100, warmup=0.0).fit(SENTENCES)
    assert seen[0] > 0.9
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] < 0.1


def test_a_model_may_have_fewer_positions_than_most_texts_have_tokens():
    model = make(max_length=3, max_steps=2).fit(SENTENCES)
    assert model.encoder_.architecture.max_positions == 3
    assert BertVectorizer(model).fit_transform(["film"]).shape == (1, 16)


def test_whole_word_masking_is_another_task():
    texts = ["zebra xylophone quartz vixen jumbo"] * 40
    whole, pieces = (
        make(vocab_size=60, n_epochs=2, whole_word_masking=is_on).fit(texts)
        for is_on in (True, False)
    )
    assert whole.loss_curve_ != pieces.loss_curve_


def test_verbose_tells_a_line_per_epoch(capsys):
    make(n_epochs=2, verbose=2).fit(SENTENCES)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]


def test_nothing_is_printed_otherwise(capfd):
    make(max_steps=1).fit(SENTENCES)
    assert capfd.readouterr() == ("", "")


# --- going on with a checkpoint --------------------------------------------------


def test_it_goes_on_with_a_checkpoint(tiny_bert, texts):
    model = make(model=tiny_bert, n_epochs=3).fit(texts)
    assert model.checkpoint_.source == "directory"
    assert model.max_length_ == 64
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.vocabulary_ == BertTokenizer(tiny_bert).fit(texts).vocabulary_


def test_it_goes_on_with_another_masked_lm(fitted):
    again = make(model=fitted, max_steps=1, learning_rate=1e-12).fit(SENTENCES)
    assert again.checkpoint_.source == "estimator"
    np.testing.assert_allclose(
        BertVectorizer(again).transform(SENTENCES[:8]),
        BertVectorizer(fitted).transform(SENTENCES[:8]),
        atol=1e-5,
    )


def test_the_head_of_a_checkpoint_is_used(fitted, tmp_path):
    fitted.save_pretrained(tmp_path / "model")
    again = make(model=tmp_path / "model", max_steps=1, learning_rate=1e-12)
    again.fit(SENTENCES)
    assert again.score(SENTENCES) == pytest.approx(fitted.score(SENTENCES), abs=1e-4)


def test_a_checkpoint_without_a_mask_token_is_refused(own_bert):
    path = own_bert / "tokenizer.json"
    content = path.read_text().replace("[MASK]", "[GAP]")
    path.write_text(content)
    path = own_bert / "tokenizer_config.json"
    path.write_text(path.read_text().replace("[MASK]", "[GAP]"))
    with pytest.raises(CheckpointError, match="must have a token for hiding"):
        make(model=own_bert).fit(["a film"])


# --- a model for the others ------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda x: x, FrozenEstimator])
def test_a_fitted_one_is_a_model_of_every_estimator(fitted, wrap):
    model = wrap(fitted)
    labels = ["good" in text for text in SENTENCES]
    features = BertVectorizer(model).fit_transform(SENTENCES)
    assert features.shape == (len(SENTENCES), 16)
    classifier = BertClassifier(
        model, pooling="mean", learning_rate=2e-3, random_state=0
    )
    assert classifier.fit(SENTENCES, labels).score(SENTENCES, labels) == 1
    assert classifier.checkpoint_.source == "estimator"
    ids = BertTokenizer(model).fit_transform(SENTENCES[:1])
    assert ids[0, 0] == fitted.vocabulary_["[CLS]"]


def test_a_folder_that_it_wrote_is_a_model_too(fitted, tmp_path):
    folder = tmp_path / "below" / "model"
    fitted.save_pretrained(folder)
    np.testing.assert_array_equal(
        BertVectorizer(folder).transform(SENTENCES[:8]),
        BertVectorizer(fitted).transform(SENTENCES[:8]),
    )
    tricky = ["[SEP] Über  das Film", "wasn't"]
    np.testing.assert_array_equal(
        BertTokenizer(folder).fit_transform(tricky),
        BertTokenizer(fitted).fit_transform(tricky),
    )
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_case_survives_the_folder(tmp_path):
    model = make(lowercase=False, max_steps=1).fit(["Das Wort und das Wort"] * 9)
    model.save_pretrained(tmp_path / "model")
    tokenizer = BertTokenizer(tmp_path / "model").fit(["Das das"])
    assert tokenizer.inverse_transform(tokenizer.transform(["Das das"])) == ["Das das"]


def test_declared_pooling_and_limit_survive_the_folder(own_bert, texts, tmp_path):
    (own_bert / "1_Pooling").mkdir()
    (own_bert / "1_Pooling" / "config.json").write_text(
        json.dumps({"pooling_mode_mean_tokens": True})
    )
    (own_bert / "sentence_bert_config.json").write_text('{"max_seq_length": 40}')
    make(model=own_bert, max_steps=1).fit(texts).save_pretrained(tmp_path / "out")
    vectorizer = BertVectorizer(tmp_path / "out").fit(texts)
    assert (vectorizer.pooling_, vectorizer.max_length_) == ("mean", 40)


def test_a_folder_that_is_in_use_is_left_alone(fitted, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="folder must not exist, or be empty"):
        fitted.save_pretrained(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_cloning_a_bare_one_is_told_to_freeze_it(fitted):
    labels = ["good" in text for text in SENTENCES]
    bare = clone(BertVectorizer(fitted))
    with pytest.raises(CheckpointError, match=r"sklearn\.frozen\.FrozenEstimator"):
        bare.fit(SENTENCES)
    pipeline = make_pipeline(BertVectorizer(fitted), LogisticRegression())
    with pytest.raises(ValueError, match=r"sklearn\.frozen\.FrozenEstimator"):
        cross_val_score(pipeline, SENTENCES, labels, cv=2, error_score="raise")


def test_a_frozen_one_survives_a_grid_search(fitted):
    labels = ["good" in text for text in SENTENCES]
    pipeline = make_pipeline(
        BertVectorizer(FrozenEstimator(fitted)), LogisticRegression()
    )
    search = GridSearchCV(pipeline, {"bertvectorizer__pooling": ["cls", "mean"]}, cv=2)
    assert search.fit(SENTENCES, labels).best_score_ == 1


def test_a_vectorizer_refuses_a_model_that_was_fitted_anew():
    model = make(max_steps=1).fit(SENTENCES)
    vectorizer = BertVectorizer(model).fit(SENTENCES)
    model.set_params(random_state=1).fit(SENTENCES)
    with pytest.raises(CheckpointMismatchError, match="weights differs"):
        vectorizer.transform(SENTENCES)


def test_an_estimator_that_is_no_model_is_refused():
    with pytest.raises(ValueError, match="The 'model' parameter of BertVectorizer"):
        BertVectorizer(LogisticRegression()).fit(["a"])


def test_a_pickle_holds_all(fitted, tmp_path):
    saved = tmp_path / "vectorizer.pickle"
    saved.write_bytes(pickle.dumps((fitted, BertVectorizer(fitted).fit(SENTENCES))))
    code = (
        "import pickle, sys; model, vectorizer = pickle.load(open(sys.argv[1], 'rb')); "
        "print(model.score(['the old film']), vectorizer.transform(['the'])[0, 0])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, saved], capture_output=True, text=True, check=True
    )
    score, feature = map(float, run.stdout.split())
    assert score == pytest.approx(fitted.score(["the old film"]), abs=1e-6)
    expected = BertVectorizer(fitted).transform(["the"])[0, 0]
    assert feature == pytest.approx(expected, abs=1e-6)


# --- filling gaps ----------------------------------------------------------------


def test_gaps_are_marked_as_asked_for(fitted):
    first = fitted.fill_mask(["the ___ film"], mask="___")
    assert first == fitted.fill_mask(["the [MASK] film"])
    (((_, share), *_),) = first[0]
    assert len(first[0][0]) == 5
    assert 0 < share <= 1


def test_guesses_do_not_depend_on_the_other_texts(fitted):
    texts = ["the [MASK] film was bad", "[MASK]", "the new [MASK] [MASK] good"]
    together = fitted.fill_mask(texts, top_k=1)
    alone = [fitted.fill_mask([text], top_k=1)[0] for text in texts]
    assert [[[t for t, _ in gap] for gap in gaps] for gaps in together] == [
        [[t for t, _ in gap] for gap in gaps] for gaps in alone
    ]
    assert [len(gaps) for gaps in together] == [1, 1, 2]


def test_a_text_without_a_gap_is_refused(fitted):
    with pytest.raises(InputError, match=r"must hold the gap '\[MASK\]'"):
        fitted.fill_mask(["the film"])


def test_gaps_in_pairs_are_refused(fitted):
    with pytest.raises(InputError, match=r"must have one column of texts\. Got two"):
        fitted.fill_mask([("the [MASK]", "film [MASK]")])


@pytest.mark.parametrize(
    "wrong",
    [{"top_k": x} for x in (0, -1, 2.5, "a", None)] + [{"mask": None}, {"mask": 3}],
)
def test_wrong_arguments_of_gaps_are_refused(fitted, wrong):
    (name,) = wrong
    words = f"The '{name}' parameter of BertMaskedLM.fill_mask must be"
    with pytest.raises(ValueError, match=words):
        fitted.fill_mask(["the [MASK]"], **wrong)


def test_a_text_that_is_too_long_for_its_gap_is_refused(fitted):
    with pytest.raises(InputError, match="at most 128 tokens"):
        fitted.fill_mask(["film " * 200 + "[MASK]"])


# --- going on after the end of a process -----------------------------------------

WORKER = """
import sys
from pathlib import Path
from sklearn_bert import BertMaskedLM

texts, folder = Path(sys.argv[1]), sys.argv[2]
model = BertMaskedLM(
    n_layers=1, hidden_size=16, n_heads=2, vocab_size=120, batch_tokens=256,
    learning_rate=3e-3, device="cpu", dtype="float32", random_state=0, n_epochs=30,
    checkpoint_dir=folder, checkpoint_every=0.0,
)
print("begun", flush=True)
model.fit(texts)
print("ended", flush=True)
"""


def test_after_a_kill_it_goes_on_to_the_same_weights(tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(SENTENCES), encoding="utf-8")
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    folder = tmp_path / "checkpoint"
    kept = folder / "pretraining.safetensors"
    moments = np.random.default_rng(0).random(3)
    n_killed = 0
    for moment in moments:
        worker = subprocess.Popen(
            [sys.executable, script, texts, folder], stdout=subprocess.PIPE
        )
        before = kept.stat().st_mtime_ns if kept.exists() else None
        while worker.poll() is None:
            if kept.exists() and kept.stat().st_mtime_ns != before:
                time.sleep(moment / 10)
                break
            time.sleep(0.01)
        if worker.poll() is None:
            os.kill(worker.pid, signal.SIGKILL)
            n_killed += 1
        worker.communicate()
    assert n_killed
    options = {**TINY, "n_epochs": 30}
    resumed = BertMaskedLM(**options, checkpoint_dir=folder, checkpoint_every=0.0)
    resumed.fit(texts)
    undisturbed = BertMaskedLM(**options).fit(texts)
    assert_same_weights(resumed, undisturbed)
    assert resumed.loss_curve_ == undisturbed.loss_curve_
    assert resumed.n_tokens_ == undisturbed.n_tokens_


@pytest.mark.parametrize("n_done", [1, 2, 3, 5])
def test_it_goes_on_from_any_step(tmp_path, monkeypatch, n_done):
    from sklearn_bert._engine.pretraining import Pretraining

    options = {"n_epochs": 3, "checkpoint_dir": tmp_path, "checkpoint_every": 0.0}
    save = Pretraining._save_now_and_then

    def save_and_die(self):
        save(self)
        if self.log.n_steps == n_done:
            raise SystemError

    monkeypatch.setattr(Pretraining, "_save_now_and_then", save_and_die)
    with pytest.raises(SystemError):
        make(**options).fit(SENTENCES)
    monkeypatch.undo()
    resumed = make(**options).fit(SENTENCES)
    expected = make(n_epochs=3).fit(SENTENCES)
    assert_same_weights(resumed, expected)
    assert resumed.loss_curve_ == expected.loss_curve_


def test_a_training_that_ended_is_not_repeated(tmp_path, monkeypatch):
    from sklearn_bert._engine.pretraining import Pretraining

    options = {"n_epochs": 2, "checkpoint_dir": tmp_path}
    first = make(**options).fit(SENTENCES)
    monkeypatch.setattr(Pretraining, "_step", None)
    assert_same_weights(first, make(**options).fit(SENTENCES))


def test_a_training_that_time_ended_is_saved(tmp_path, monkeypatch):
    from sklearn_bert._engine.pretraining import Pretraining

    monkeypatch.setattr(Pretraining, "_is_time_up", lambda self: self.log.n_steps == 3)
    options = {"n_epochs": 5, "checkpoint_dir": tmp_path}
    first = make(**options).fit(SENTENCES)
    monkeypatch.setattr(Pretraining, "_step", None)
    again = make(**options).fit(SENTENCES)
    assert again.n_steps_ == 3
    assert again.loss_curve_ == first.loss_curve_
    assert_same_weights(first, again)


def test_after_ctrl_c_it_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    from sklearn_bert._engine.pretraining import Pretraining

    step = Pretraining._step

    def interrupted(self, rows):
        if self.log.n_steps == 2:
            raise KeyboardInterrupt
        step(self, rows)

    options = {"n_epochs": 3, "checkpoint_dir": tmp_path}
    monkeypatch.setattr(Pretraining, "_step", interrupted)
    with pytest.warns(InterruptedFitWarning, match="after 2 steps"):
        make(**options).fit(SENTENCES)
    monkeypatch.undo()
    begun_at = []

    def record(self, rows):
        begun_at.append(self.log.n_steps)
        step(self, rows)

    monkeypatch.setattr(Pretraining, "_step", record)
    resumed = make(**options).fit(SENTENCES)
    assert begun_at[0] == 2
    assert_same_weights(resumed, make(n_epochs=3).fit(SENTENCES))


def test_ctrl_c_within_a_step_leaves_the_weights_before_it(tmp_path, monkeypatch):
    from sklearn_bert._engine.pretraining import Pretraining

    def interrupted(self):
        raise KeyboardInterrupt

    options = {"n_epochs": 3, "checkpoint_dir": tmp_path}
    expected = make(max_steps=1, learning_rate=1e-12).fit(SENTENCES)
    monkeypatch.setattr(Pretraining, "_end_epoch", interrupted)
    monkeypatch.setattr(Pretraining, "_save_now_and_then", lambda self: None)
    with pytest.warns(InterruptedFitWarning):
        model = make(batch_tokens=10**6, **options).fit(SENTENCES)
    for name, array in weights_of(expected).items():
        np.testing.assert_allclose(weights_of(model)[name], array, atol=1e-6)
    assert list(tmp_path.iterdir()) == []


def test_without_a_seed_it_goes_on_with_the_one_that_was_drawn(tmp_path):
    options = {"n_epochs": 2, "checkpoint_dir": tmp_path, "random_state": None}
    first = make(**options).fit(SENTENCES)
    assert_same_weights(first, make(**options).fit(SENTENCES))


@pytest.mark.parametrize(
    ("changes", "texts"),
    [({"n_epochs": 3}, SENTENCES), ({"dropout": 0.0}, SENTENCES), ({}, SENTENCES[:-1])],
)
def test_another_training_is_not_taken_over(tmp_path, changes, texts):
    make(n_epochs=2, checkpoint_dir=tmp_path).fit(SENTENCES)
    with pytest.raises(ResumeError, match="only with the same parameters and texts"):
        make(**{"n_epochs": 2, "checkpoint_dir": tmp_path, **changes}).fit(texts)


# --- faults ----------------------------------------------------------------------


def test_ctrl_c_keeps_the_weights_so_far(monkeypatch):
    from sklearn_bert._engine.pretraining import Pretraining

    step = Pretraining._step

    def interrupted(self, rows):
        if self.log.n_steps == 2:
            raise KeyboardInterrupt
        step(self, rows)

    monkeypatch.setattr(Pretraining, "_step", interrupted)
    with pytest.warns(InterruptedFitWarning, match="after 2 steps"):
        model = make(n_epochs=5).fit(SENTENCES)
    monkeypatch.undo()
    assert model.n_steps_ == 2
    assert np.isfinite(model.score(SENTENCES))


def test_a_loss_that_is_no_number_ends_the_training(monkeypatch):
    from sklearn_bert._engine.pretraining import Pretraining

    accumulate = Pretraining._accumulate

    def broken(self, sequences):
        loss, norm = accumulate(self, sequences)
        return (np.nan if self.log.n_steps == 2 else loss), norm

    monkeypatch.setattr(Pretraining, "_accumulate", broken)
    model = make(n_epochs=5)
    with pytest.raises(DivergenceError, match="loss was not at step 3 of"):
        model.fit(SENTENCES)
    monkeypatch.undo()
    assert model.n_steps_ == 2
    assert np.isfinite(model.score(SENTENCES))


@pytest.mark.parametrize(
    ("learning_rate", "max_steps"), [(1e38, 1), (1e20, 1), (1e20, 4), (1e38, 4)]
)
def test_weights_that_make_no_numbers_are_not_kept(learning_rate, max_steps, tmp_path):
    kept = tmp_path / "pretraining.safetensors"
    model = make(
        learning_rate=learning_rate,
        max_steps=max_steps,
        warmup=0.0,
        checkpoint_dir=tmp_path,
        checkpoint_every=0.0,
    )
    with pytest.raises(DivergenceError, match="weights that training started from"):
        model.fit(SENTENCES)
    assert all(np.isfinite(array).all() for array in weights_of(model).values())
    assert np.isfinite(model.score(SENTENCES))
    assert not kept.exists()


def test_the_error_of_a_divergence_holds_no_training():
    from sklearn_bert._engine.pretraining import Pretraining
    from sklearn_bert._engine.trainable import TrainableEncoder

    with pytest.raises(DivergenceError) as caught:
        make(learning_rate=1e20, max_steps=1, warmup=0.0).fit(SENTENCES)
    held = [
        value
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        for value in frame.f_locals.values()
    ]
    assert not any(isinstance(x, Pretraining | TrainableEncoder) for x in held)


def test_what_is_set_during_a_fit_stays():
    model = make(max_steps=1)

    def texts():
        model.set_params(n_epochs=7)
        yield from SENTENCES

    assert model.fit(texts()).n_epochs == 7


def test_a_learning_rate_beyond_the_format_is_refused():
    with pytest.raises(ValueError, match="learning_rate must be at most"):
        make(learning_rate=1e39).fit(SENTENCES)


@pytest.mark.parametrize("n_failures", [1, 3])
def test_short_memory_changes_the_parts_and_not_the_result(monkeypatch, n_failures):
    from sklearn_bert._engine.pretraining import Pretraining

    options = {"n_epochs": 2, "dropout": 0.0, "dtype": "float64"}
    expected = make(**options).fit(SENTENCES)
    forward, left = Pretraining._forward, [n_failures]

    def short(self, part):
        if left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, part)

    monkeypatch.setattr(Pretraining, "_forward", short)
    with pytest.warns(MemoryWarning, match="do not fit into the memory"):
        found = make(**options).fit(SENTENCES)
    for name, array in weights_of(expected).items():
        np.testing.assert_allclose(weights_of(found)[name], array, atol=1e-9)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("sklearn_bert._pretrainer.make_trainable", "The model does not fit"),
        ("sklearn_bert._engine.pretraining.KeptWeights", "The optimiser's state does"),
        ("torch.optim.AdamW.step", "Training, with a gradient and two moments of"),
    ],
)
def test_short_memory_in_a_fit_is_told_with_remedies(monkeypatch, place, words):
    def short(*args, **options):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(place, short)
    with pytest.raises(DeviceMemoryError, match=words):
        make().fit(SENTENCES)


def run_out_above(n_rows, monkeypatch):
    """Let memory be too short for more sequences at once."""
    from sklearn_bert._engine import guessing

    scores = guessing._scores

    def short(running, masked, sequences, rows):
        if len(rows) > n_rows:
            raise torch.OutOfMemoryError("out of memory")
        return scores(running, masked, sequences, rows)

    monkeypatch.setattr(guessing, "_scores", short)


def test_short_memory_in_guessing_changes_no_guess(fitted, monkeypatch):
    texts = ["the [MASK] film was bad", "[MASK]", "the new [MASK] [MASK] good"]
    score, gaps = fitted.score(SENTENCES), fitted.fill_mask(texts)
    run_out_above(1, monkeypatch)
    assert fitted.score(SENTENCES) == pytest.approx(score, abs=1e-6)
    for one, other in zip(fitted.fill_mask(texts), gaps, strict=True):
        for gap, same in zip(one, other, strict=True):
            assert dict(gap) == pytest.approx(dict(same), abs=1e-6)


def test_a_text_that_does_not_fit_in_guessing_is_told(fitted, monkeypatch):
    run_out_above(0, monkeypatch)
    for call in (fitted.score, fitted.fill_mask):
        with pytest.raises(DeviceMemoryError, match=r"A single text of \d tokens does"):
            call(["the old film [MASK]"])


def test_one_sequence_that_does_not_fit_is_told(monkeypatch):
    from sklearn_bert._engine.pretraining import Pretraining

    def short(self, part):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(Pretraining, "_forward", short)
    model = make()
    with pytest.raises(DeviceMemoryError, match="a single sequence of"):
        model.fit(SENTENCES)
    assert not hasattr(model, "encoder_")


@pytest.mark.parametrize(
    ("X", "match"),
    [
        ("a text", "string object received"),
        ("/texts/a.txt", r"must be a pathlib\.Path"),
        ([], "0 sample"),
        (["a", None], "None .* in row 1"),
        ([("a", "b")], "must have one column of texts"),
        (["", "  "], "at least one word"),
        (iter([]), "at least one word"),
        (iter(["a", 3]), r"3 \(int\) in row 1"),
    ],
)
def test_what_is_no_text_is_refused(X, match):
    with pytest.raises(InputError, match=match):
        make().fit(X)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        make().fit(tmp_path / "texts.txt")


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes("déjà vu\n".encode("latin-1"))
    with pytest.raises(InputError, match="must be in UTF-8"):
        make().fit(path)


def test_features_must_divide_among_the_heads():
    with pytest.raises(ValueError, match="hidden_size must be a multiple of n_heads"):
        make(hidden_size=16, n_heads=3).fit(["a"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"mask_probability": 1.0},
        {"learning_rate": "fast"},
        {"n_layers": 0},
        {"checkpoint_every": -1.0},
        {"max_time": 0},
        {"model": 3},
    ],
)
def test_wrong_parameters_are_told_in_scikit_learns_words(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"The '{name}' parameter of BertMaskedLM"):
        make(**wrong).fit(["a"])


# --- the contract ----------------------------------------------------------------


def test_fit_changes_no_parameter_and_a_refit_is_a_fresh_fit():
    model = make(max_steps=2)
    before = model.get_params()
    model.fit(SENTENCES).fit(SENTENCES[:20])
    assert model.get_params() == before
    assert_same_weights(model, clone(model).fit(SENTENCES[:20]))


def test_a_failed_fit_leaves_the_last_one(fitted):
    model = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(InputError):
        model.fit(["a", None])
    assert_same_weights(model, fitted)


def test_unfitted_ones_say_so(tmp_path):
    for call in (
        lambda: make().score(["a"]),
        lambda: make().fill_mask(["[MASK]"]),
        lambda: make().save_pretrained(tmp_path / "x"),
    ):
        with pytest.raises(ValueError, match="not fitted yet"):
            call()


def test_a_frame_gives_its_column(fitted):
    frame = pd.DataFrame({"text": SENTENCES})
    model = make(max_steps=1).fit(frame)
    assert model.feature_names_in_.tolist() == ["text"]
    other = pd.DataFrame({"other": ["the [MASK]"]})
    for call in (model.score, model.fill_mask):
        with pytest.raises(ValueError, match="feature names"):
            call(other)


def test_grid_search_scores_by_likelihood():
    search = GridSearchCV(make(n_epochs=2), {"learning_rate": [1e-6, 1e-2]}, cv=2)
    assert search.fit(SENTENCES).best_params_ == {"learning_rate": 1e-2}
