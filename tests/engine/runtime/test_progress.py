"""Progress bars and printed lines, and their labels."""

import re

import joblib
import pytest
from sklearn.model_selection import GridSearchCV
from tqdm.auto import tqdm

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
)
from sklearn_bert._engine.runtime.progress import name_fit, progress_bar

QUICK = {"n_epochs": 2, "batch_size": 20, "random_state": 0}
NEW = {"n_layers": 1, "hidden_size": 16, "n_heads": 2, "vocab_size": 120}


def labels_of(shown):
    """Return the distinct labels of the bars in order, with fits from 1."""
    states = [part for part in re.split(r"[\r\n]", shown) if part.strip()]
    # Terminal codes move the cursor to a bar below another one.
    labels = [re.sub(r"\x1b\[\w+", "", state).split(":")[0] for state in states]
    found = list(dict.fromkeys(labels))
    numbers = [int(n) for label in found for n in re.findall(r"fit (\d+)", label)]
    first = min(numbers, default=1)
    return [
        re.sub(r"fit (\d+)", lambda match: f"fit {int(match[1]) - first + 1}", label)
        for label in found
    ]


def test_each_fit_of_a_class_has_a_number():
    names = [name_fit("Counted"), name_fit("Counted"), name_fit("Another")]
    assert names == ["Counted fit 1", "Counted fit 2", "Another fit 1"]


def test_a_fit_in_a_worker_names_the_process():
    (name,) = joblib.Parallel(n_jobs=2)([joblib.delayed(name_fit)("Counted")])
    assert re.fullmatch(r"Counted fit \d+ \(\w+-\d+\)", name)


def test_without_a_label_there_is_no_bar(capfd):
    with progress_bar(None, total=3) as bar:
        bar.update()
        bar.set_description("called otherwise")
    assert capfd.readouterr() == ("", "")


def screen_of(shown):
    """Return the lines that a terminal shows in the end."""
    lines, row = [""], 0
    for part in re.findall(r"\r|\n|\x1b\[A|[^\r\n\x1b]+", shown):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[A":
            row -= 1
        elif part != "\r":
            lines[row] = part + lines[row][len(part) :]
    return [line for line in lines if line.strip()]


def test_a_bar_inside_another_is_removed_at_its_end(capfd):
    with tqdm(total=2, desc="outer", ncols=60) as outer:
        for _ in range(2):
            with progress_bar("inner", total=1, ncols=60) as inner:
                inner.update()
            outer.update()
    (kept,) = screen_of(capfd.readouterr().err)
    assert kept.startswith("outer: 100%")


def test_bars_of_a_search_name_the_fit_and_the_stage(tiny_bert, texts, capfd):
    classifier = BertClassifier(tiny_bert, verbose=1, **QUICK)
    search = GridSearchCV(classifier, {"learning_rate": [1e-4, 1e-3]}, cv=2)
    search.fit(texts, [len(text) > 60 for text in texts])
    shown = capfd.readouterr().err
    stages = ("linear probe", "epoch 1 of 2", "epoch 2 of 2")
    of_fits = [
        f"BertClassifier fit {n}, {stage}" for n in range(1, 6) for stage in stages
    ]
    encoding = "BertClassifier, encoding"
    assert labels_of(shown) == [*of_fits[:3], encoding, *of_fits[3:]]


def test_only_the_bars_of_training_remain(tiny_bert, texts, capfd):
    classifier = BertClassifier(tiny_bert, verbose=1, **QUICK)
    classifier.fit(texts, [len(text) > 60 for text in texts]).predict(texts)
    shown = capfd.readouterr().err
    (kept,) = re.findall(r"([^\r\n]+)\n", shown)
    assert re.match(r"BertClassifier fit \d+, epoch 2 of 2: 100%", kept)


def test_a_bar_of_training_shows_when_it_validates(tiny_bert, texts, capfd):
    options = {**QUICK, "early_stopping": True, "validation_fraction": 0.5}
    classifier = BertClassifier(tiny_bert, verbose=1, **options)
    classifier.fit(texts, [len(text) > 60 for text in texts])
    labels = [label.partition(", ")[2] for label in labels_of(capfd.readouterr().err)]
    epochs = [f"epoch {n} of 2{s}" for n in (1, 2) for s in ("", ", validation")]
    assert labels == ["linear probe", *epochs]


def test_without_a_probe_there_is_no_bar_for_it(tiny_bert, texts, capfd):
    regressor = BertRegressor(tiny_bert, verbose=1, init="zeros", **QUICK)
    regressor.fit(texts, list(map(float, map(len, texts))))
    assert labels_of(capfd.readouterr().err) == [
        "BertRegressor fit 1, epoch 1 of 2",
        "BertRegressor fit 1, epoch 2 of 2",
    ]


def test_pre_training_names_fit_and_epoch(texts, capfd):
    BertMaskedLM(verbose=1, n_epochs=2, batch_tokens=256, **NEW).fit(texts)
    assert labels_of(capfd.readouterr().err)[-1] == "BertMaskedLM fit 1, epoch 2 of 2"


def test_encoding_has_a_label(tiny_bert, texts, capfd):
    BertVectorizer(tiny_bert, verbose=1).transform(texts)
    assert labels_of(capfd.readouterr().err) == ["BertVectorizer, encoding"]


@pytest.mark.parametrize("verbose", [0, 2])
def test_other_levels_show_no_bar_and_0_nothing_at_all(
    tiny_bert, texts, capfd, verbose
):
    tagger = BertTokenClassifier(tiny_bert, verbose=verbose, **QUICK)
    words = [text.split() or ["a"] for text in texts]
    tagger.fit(words, [[str(len(word) > 3) for word in row] for row in words])
    tagger.predict(words)
    BertMaskedLM(verbose=verbose, n_epochs=1, **NEW).fit(texts)
    shown = capfd.readouterr()
    assert shown.err == ""
    assert bool(shown.out) == (verbose > 0)


def test_lines_of_verbose_2_name_the_fit(tiny_bert, texts, capsys):
    classifier = BertClassifier(tiny_bert, verbose=2, **QUICK)
    classifier.fit(texts, [len(text) > 60 for text in texts])
    BertMaskedLM(verbose=2, n_epochs=1, **NEW).fit(texts)
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"fit \d+", "fit 1", line).split(":")[0] for line in lines] == [
        "BertClassifier fit 1, epoch 1 of 2",
        "BertClassifier fit 1, epoch 2 of 2",
        "BertMaskedLM fit 1, epoch 1 of 1",
    ]
