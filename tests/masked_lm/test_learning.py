"""Training of BertMaskedLM: results, texts, limits and output."""

from re import findall

import numpy as np
import pytest
import torch

from masked_lm.making import SENTENCES, assert_same_weights, make
from sklearn_bert import BertVectorizer


def test_it_learns_to_predict_masked_words(fitted):
    assert fitted.loss_curve_[-1] < 0.6 * fitted.loss_curve_[0]
    (gaps,) = fitted.fill_mask(["the [MASK] film was [MASK]"], top_k=2)
    assert {token for token, _ in gaps[0]} == {"old", "new"}
    assert {token for token, _ in gaps[1]} == {"good", "bad"}
    assert sum(share for _, share in gaps[0]) > 0.5


def test_the_initial_loss_is_that_of_a_uniform_guess():
    untrained = make(max_steps=1, learning_rate=1e-12).fit(SENTENCES)
    n_tokens = len(untrained.vocabulary_)
    assert untrained.loss_curve_[0] == pytest.approx(np.log(n_tokens), rel=0.05)
    assert untrained.perplexity(SENTENCES) == pytest.approx(n_tokens, rel=0.3)


def test_the_score_is_transformers_log_likelihood(fitted, tmp_path):
    from transformers import AutoModelForMaskedLM

    from sklearn_bert._engine.masked_lm.masking import Masker, text_generator

    fitted.save_pretrained(tmp_path / "model")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "model").eval()
    tokenizer = fitted.encoder_.make_tokenizer()
    masker = Masker(tokenizer, 0.15, whole_words=False)
    found = []
    texts = ["the old film was bad", "the new story was", "was"]
    for ids in tokenizer.split_to_length(texts, 128):
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


def test_a_seed_gives_one_model():
    first, second, other = (
        make(n_epochs=2, random_state=seed).fit(SENTENCES) for seed in (0, 0, 1)
    )
    assert_same_weights(first, second)
    assert first.loss_curve_ == second.loss_curve_ != other.loss_curve_


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_learns_if_gradients_are_disabled(context):
    with context():
        model = make(max_steps=2).fit(SENTENCES)
    assert_same_weights(model, make(max_steps=2).fit(SENTENCES))


def test_the_global_generators_are_not_used():
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


def test_a_model_may_have_fewer_positions_than_most_texts_have_tokens():
    model = make(max_length=3, max_steps=2).fit(SENTENCES)
    assert model.encoder_.architecture.max_positions == 3
    assert BertVectorizer(model).fit_transform(["film"]).shape == (1, 16)


def test_whole_word_masking_changes_the_loss():
    texts = ["zebra xylophone quartz vixen jumbo"] * 40
    whole, pieces = (
        make(vocab_size=60, n_epochs=2, whole_word_masking=is_on).fit(texts)
        for is_on in (True, False)
    )
    assert whole.loss_curve_ != pieces.loss_curve_


def test_verbose_prints_a_line_per_epoch(capsys):
    make(n_epochs=2, verbose=2).fit(SENTENCES)
    lines = capsys.readouterr().out.splitlines()
    epochs = [line.split(":")[0].split(", ")[1] for line in lines]
    assert epochs == ["epoch 1 of 2", "epoch 2 of 2"]


def test_the_bar_estimates_the_steps_until_max_time(capfd, monkeypatch):
    ticks = iter(range(10**6))
    monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
    model = make(n_epochs=10**4, max_time=100, verbose=1).fit(SENTENCES)
    # The clock advances with each call, so the last step ends just before the limit.
    n_steps, n_expected = map(int, findall(r"(\d+)/(\d+) ", capfd.readouterr().err)[-1])
    assert n_steps == model.n_steps_
    assert n_expected <= n_steps + 1


def test_nothing_is_printed_by_default(capfd):
    make(max_steps=1).fit(SENTENCES)
    assert capfd.readouterr() == ("", "")


def test_large_gradients_are_clipped_in_each_step(monkeypatch):
    after, step = [], torch.optim.AdamW.step

    def record_norm(self):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        after.append(float(torch.nn.utils.get_total_norm(gradients)))
        step(self)

    monkeypatch.setattr(torch.optim.AdamW, "step", record_norm)
    model = make(max_steps=3).fit(SENTENCES)
    # The first gradients have a norm above 1, so they are clipped to it.
    assert after == pytest.approx([1.0] * model.n_steps_, rel=1e-3)


def test_it_learns_in_bfloat16(monkeypatch):
    monkeypatch.setattr(
        torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False
    )
    model = make(n_epochs=3, dtype="bfloat16").fit(SENTENCES)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert {array.dtype for array in model.encoder_.weights.values()} == {
        np.dtype("float32")
    }
