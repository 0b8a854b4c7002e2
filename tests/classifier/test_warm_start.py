"""BertClassifier's warm starts and partial fits."""

import pickle

import numpy as np
import pytest

from classifier.weights import assert_same_weights


def test_a_warm_start_continues_from_the_weights(make, texts, labels):
    first = make(learning_rate=1e-12, n_epochs=1, warm_start=True)
    first.set_params(learning_rate=1e-3).fit(texts, labels)
    before = first.predict_proba(texts)
    first.set_params(learning_rate=1e-12).fit(texts, labels)
    np.testing.assert_allclose(first.predict_proba(texts), before, atol=1e-5)


def test_a_warm_start_refuses_other_classes(make, texts, labels):
    classifier = make(warm_start=True, n_epochs=1).fit(texts, labels)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        classifier.fit(texts, [0, 1] * 20)


def test_partial_fit_learns_bit_by_bit(make, texts, labels):
    # The tiny encoder knows nothing that slow lower layers would keep.
    classifier = make(layer_decay=1.0)
    for _ in range(30):
        for half in (slice(0, 20), slice(20, 40)):
            classifier.partial_fit(
                texts[half], labels[half], classes=["good", "long", "other"]
            )
    assert classifier.score(texts, labels) > 0.9
    assert classifier.n_iter_ == 60


def test_partial_fit_continues_where_a_pickle_left_off(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=np.unique(labels))
    unwrap_frozen = pickle.loads(pickle.dumps(classifier))
    assert_same_weights(
        classifier.partial_fit(texts, labels), unwrap_frozen.partial_fit(texts, labels)
    )


def test_partial_fit_continues_from_a_fit(make, texts, labels):
    classifier = make().fit(texts, labels)
    before = classifier.predict_proba(texts)
    classifier.set_params(learning_rate=1e-12).partial_fit(texts, labels)
    np.testing.assert_allclose(classifier.predict_proba(texts), before, atol=1e-5)


def test_partial_fit_may_freeze_other_parts_later(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=np.unique(labels))
    frozen = classifier.encoder_.weights["encoder.layer.0.output.dense.weight"].copy()
    classifier.set_params(freeze=1).partial_fit(texts, labels)
    weights = classifier.encoder_.weights
    assert np.array_equal(weights["encoder.layer.0.output.dense.weight"], frozen)


def test_a_fit_drops_what_partial_fit_kept(make, fitted, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=np.unique(labels))
    assert_same_weights(classifier.fit(texts, labels), fitted)
    assert len(pickle.dumps(classifier)) < 1.1 * len(pickle.dumps(fitted))


def test_partial_fit_takes_several_labels(make, texts, indicators):
    classifier = make().partial_fit(texts, indicators, classes=[0, 1, 2])
    assert classifier.predict(texts).shape == (40, 3)


def test_classes_may_be_a_set(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=set(labels))
    assert classifier.classes_.tolist() == ["good", "long", "other"]


def test_a_warm_start_takes_new_lengths_and_refuses_another_model(make, texts, labels):
    classifier = make(warm_start=True, n_epochs=1).fit(texts, labels)
    classifier.set_params(max_length=32, pooling="max").fit(texts, labels)
    assert (classifier.max_length_, classifier.pooling_) == (32, "max")
    with pytest.raises(ValueError, match="must be those of the previous fit"):
        classifier.set_params(model="other").fit(texts, labels)


def test_a_warm_start_refuses_a_pooling_of_other_width(make, texts):
    pairs, y = list(zip(texts[:20], texts[20:], strict=True)), np.arange(20) % 2
    classifier = make(warm_start=True, n_epochs=1, pooling="compare").fit(pairs, y)
    assert classifier.transform(pairs).shape == (20, 128)
    for method in (classifier.set_params(pooling="mean").fit, classifier.partial_fit):
        with pytest.raises(ValueError, match=r"must give 128 features.*which gives 32"):
            method(pairs, y)


def test_partial_fit_keeps_the_scale_of_the_weights(make, texts, labels):
    classes = np.unique(labels)
    plain, light = make(), make()
    plain.partial_fit(texts, labels, classes)
    light.partial_fit(texts, labels, classes, sample_weight=np.full(40, 1e-12))
    assert abs(light.coef_).max() < abs(plain.coef_).max()


def test_one_class_is_refused_by_partial_fit_too(make):
    with pytest.raises(ValueError, match="at least 2 labels"):
        make().partial_fit(["a", "b"], ["x", "x"], classes=["x"])


def test_continuing_with_another_kind_of_labels_is_refused(make, texts, indicators):
    y = np.arange(40) % 3
    classifier = make(warm_start=True).fit(texts, indicators)
    for method in (classifier.fit, classifier.partial_fit):
        with pytest.raises(ValueError, match="of the same kind as in the previous"):
            method(texts, y)


def test_partial_fit_wants_the_classes_first(make, texts, labels):
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        make().partial_fit(texts, labels)


def test_partial_fit_refuses_labels_and_classes_that_are_new(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=["good", "long", "other"])
    with pytest.raises(ValueError, match="`y` has classes not in"):
        classifier.partial_fit(texts[:2], ["good", "new"])
    with pytest.raises(ValueError, match="is not the same as on last call"):
        classifier.partial_fit(texts, labels, classes=["good", "other"])


def test_partial_fit_refuses_balancing(make, texts, labels):
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        make(class_weight="balanced").partial_fit(texts, labels, np.unique(labels))
