"""Files with an adapter: small, and loaded only with the model of the fit."""

import json
import pickle
import shutil

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub import constants
from safetensors import safe_open

from saving.cases import QUICK, TEXTS
from sklearn_bert import BertClassifier, BertVectorizer, load
from sklearn_bert._engine.checkpoints.files.names import DECLARATIONS
from sklearn_bert._saving.state import InvalidContentError, read_state, write_state
from sklearn_bert.exceptions import (
    CheckpointMismatchError,
    CheckpointNotFoundError,
    SavedFileError,
)

pytest.importorskip("peft")
LABELS = ["a", "b"] * 6


@pytest.fixture
def adapted(own_bert):
    options = {**QUICK, "learning_rate": 1e-2, "n_epochs": 3}
    return BertClassifier(own_bert, adapter="lora", **options).fit(TEXTS, LABELS)


@pytest.fixture
def path(adapted, tmp_path):
    path = tmp_path / "adapted.safetensors"
    adapted.save(path)
    return path


def test_predictions_are_those_before(adapted, path):
    loaded = load(path)
    np.testing.assert_allclose(
        loaded.predict_proba(TEXTS), adapted.predict_proba(TEXTS), rtol=0, atol=1e-6
    )
    assert loaded.encoder_.digest == adapted.encoder_.digest


def test_the_file_has_no_weights_of_the_encoder(adapted, path):
    with safe_open(path, "np") as file:
        names = list(file.keys())
        n_numbers = sum(file.get_tensor(name).size for name in names)
    kinds = {name.split(".")[0] for name in names}
    assert kinds == {"adapter_", "class_count_", "coef_", "intercept_"}
    adapter = adapted.adapter_
    arrays = [*adapter.down.values(), *adapter.up.values(), adapted.coef_]
    arrays += [adapted.intercept_, adapted.class_count_]
    assert n_numbers == sum(x.size for x in arrays)


def test_the_extra_is_not_needed_for_loading(path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "peft", None)
    assert load(path).predict(TEXTS).shape == (12,)


def test_another_base_is_refused(own_bert, path, save_model):
    save_model(own_bert, initializer_range=0.2)
    with pytest.raises(
        CheckpointMismatchError, match=r"Got '.*own-bert'.*model\.safetensors differs"
    ):
        load(path)


def test_a_base_that_is_gone_is_named_with_the_remedy(own_bert, path):
    shutil.rmtree(own_bert)
    with pytest.raises(CheckpointNotFoundError, match=r"own-bert.*as model to load"):
        load(path)


@pytest.fixture
def put_on_hub(tmp_path, monkeypatch):
    """Return a function that puts a folder into the cache as a commit of its branch."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "cache" / "models--own--bert"

    def put(folder, commit):
        shutil.copytree(folder, root / "snapshots" / commit)
        (root / "refs").mkdir(exist_ok=True)
        (root / "refs" / "main").write_text(commit)
        # What the client notes of files that it asked for in vain.
        (root / ".no_exist" / commit).mkdir(parents=True)
        for name in DECLARATIONS:
            (root / ".no_exist" / commit / name).touch()

    return put


def test_a_base_on_the_hub_is_found_by_its_commit(
    own_bert, put_on_hub, save_model, tmp_path
):
    put_on_hub(own_bert, 40 * "a")
    options = {**QUICK, "adapter": "lora", "warm_start": True}
    fitted = BertClassifier("own/bert", **options).fit(TEXTS, LABELS)
    put_on_hub(save_model(tmp_path / "newer", initializer_range=0.2), 40 * "b")
    fitted.save(tmp_path / "file")
    loaded = load(tmp_path / "file")
    np.testing.assert_allclose(
        loaded.predict_proba(TEXTS), fitted.predict_proba(TEXTS), rtol=0, atol=1e-6
    )
    # Training continues from it, too.
    np.testing.assert_array_equal(
        loaded.fit(TEXTS, LABELS).coef_, fitted.fit(TEXTS, LABELS).coef_
    )


def test_the_name_of_a_folder_is_not_sent_to_the_hub(own_bert, tmp_path, monkeypatch):
    monkeypatch.chdir(own_bert.parent.parent)
    name = f"{own_bert.parent.name}/{own_bert.name}"
    options = {**QUICK, "adapter": "lora"}
    BertClassifier(name, **options).fit(TEXTS, LABELS).save(tmp_path / "file")
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", asked.append)
    with pytest.raises(CheckpointNotFoundError, match="nothing is downloaded here"):
        load(tmp_path / "file")
    assert asked == []


def test_a_base_that_has_moved_is_passed(adapted, own_bert, path, tmp_path):
    expected = adapted.predict_proba(TEXTS)
    moved = own_bert.rename(tmp_path / "moved")
    loaded = load(path, model=moved)
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), expected, atol=1e-6)
    assert loaded.checkpoint_.model == loaded.model == str(moved)
    # Training and saving go on there.
    loaded.set_params(warm_start=True).fit(TEXTS, LABELS)
    loaded.save(path)
    load(path)


def test_another_base_that_is_passed_is_refused(path, save_model, tmp_path):
    other = save_model(tmp_path / "other", initializer_range=0.2)
    with pytest.raises(CheckpointMismatchError, match=r"Got '.*other'"):
        load(path, model=other)


def test_no_base_is_passed_for_a_file_with_weights(own_bert, tmp_path):
    BertClassifier(own_bert, **QUICK).fit(TEXTS, LABELS).save(tmp_path / "file")
    with pytest.raises(ValueError, match=r"model must be None.*own-bert"):
        load(tmp_path / "file", model=own_bert)


def test_nothing_is_saved_that_cannot_be_loaded(adapted, own_bert, path):
    before = path.read_bytes()
    shutil.rmtree(own_bert)
    with pytest.raises(SavedFileError, match=r"must be where fit found it.*joblib"):
        adapted.save(path)
    assert path.read_bytes() == before


def test_an_estimator_as_base_must_be_the_one_of_the_fit(case, tmp_path):
    fitted = pickle.loads(pickle.dumps(case("an adapter on a classifier").estimator))
    fitted.set_params(model=case("several labels").estimator)
    with pytest.raises(SavedFileError, match=r"must be where fit found it"):
        fitted.save(tmp_path / "file")


def test_rounding_to_bfloat16_is_refused(adapted, tmp_path):
    with pytest.raises(SavedFileError, match="contains no weights of an encoder"):
        adapted.save(tmp_path / "file", dtype="bfloat16")


def test_a_rounded_base_gives_another_model(case, tmp_path):
    fitted = case("an adapter on a classifier").estimator
    vectorizer = BertVectorizer(fitted, pooling="cls").fit(TEXTS)
    vectorizer.save(tmp_path / "file", dtype="bfloat16")
    loaded = load(tmp_path / "file")
    assert loaded.model.encoder_.digest != fitted.encoder_.digest
    np.testing.assert_allclose(
        loaded.transform(TEXTS), vectorizer.transform(TEXTS), atol=0.05
    )
    with pytest.raises(CheckpointMismatchError, match="weights differs"):
        vectorizer.set_params(model=loaded.model).transform(TEXTS)


def test_training_continues_after_loading(adapted, path):
    loaded = load(path).set_params(warm_start=True)
    adapted.set_params(warm_start=True).fit(TEXTS, LABELS)
    loaded.fit(TEXTS, LABELS)
    np.testing.assert_array_equal(loaded.coef_, adapted.coef_)


def test_a_model_of_a_loaded_estimator_is_the_same(adapted, tmp_path):
    vectorizer = BertVectorizer(adapted, pooling="mean").fit(TEXTS)
    vectorizer.save(tmp_path / "file")
    np.testing.assert_allclose(
        load(tmp_path / "file").transform(TEXTS), vectorizer.transform(TEXTS), atol=1e-6
    )


@pytest.mark.parametrize(
    "forge",
    [
        lambda fields: fields.update(digest="none"),
        lambda fields: fields["architecture"]["record"]["fields"].update(n_layers=2),
    ],
)
def test_a_forged_encoder_is_refused(adapted, forge):
    content, tensors = write_state(adapted, in_bfloat16=False)
    content = json.loads(json.dumps(content))
    forge(content["estimator"]["attributes"]["encoder_"]["record"]["fields"])
    with pytest.raises(InvalidContentError):
        read_state(content, tensors, {"BertClassifier": BertClassifier})


def test_a_forged_adapter_next_to_all_weights_is_refused(adapted, monkeypatch):
    forged = pickle.loads(pickle.dumps(adapted))
    down = forged.adapter_.down
    # Training would repeat the one row.
    down.update({name: one[:1] for name, one in down.items()})
    for module in ("state.without_base", "state.check_parts"):
        monkeypatch.setattr(f"sklearn_bert._saving.{module}", lambda *x: x[-1])
    content, tensors = write_state(forged, in_bfloat16=False)
    monkeypatch.undo()
    with pytest.raises(InvalidContentError, match="does not fit"):
        read_state(content, tensors, {"BertClassifier": BertClassifier})


def test_a_forged_adapter_is_refused(adapted):
    adapted.adapter_ = pickle.loads(pickle.dumps(adapted)).adapter_
    name = next(iter(adapted.adapter_.up))
    adapted.adapter_.up[name] = adapted.adapter_.up[name][:1]
    content, tensors = write_state(adapted, in_bfloat16=False)
    with pytest.raises(InvalidContentError, match="does not fit"):
        read_state(content, tensors, {"BertClassifier": BertClassifier})
