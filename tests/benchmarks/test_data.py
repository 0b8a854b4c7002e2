"""Rows of data sets."""

import numpy as np

from benchmarks.shared.data import draw, draw_per_class, read_labeled

TEXTS = [f"text {row}" for row in range(12)]
SPLIT = (TEXTS, np.array(["up", "down", "down"] * 4))


def write(folder, content):
    file = folder / "train.tsv"
    file.write_text(content, encoding="utf-8", newline="")
    return file


def test_texts_are_quoted_as_in_csv(tmp_path):
    file = write(tmp_path, 'label\ttext\n1\t"two ""quoted""\nlines"\n0\tcafé\n')
    texts, labels = read_labeled(file)
    assert texts == ['two "quoted"\nlines', "café"]
    assert labels.tolist() == ["1", "0"]


def test_drawn_rows_depend_on_the_seed_alone_and_keep_their_labels():
    X, y = draw(SPLIT, 5, 0)
    assert X == draw(SPLIT, 5, 0)[0] != draw(SPLIT, 5, 1)[0]
    label_of = dict(zip(*SPLIT, strict=True))
    assert [label_of[text] for text in X] == y.tolist()


def test_every_class_gets_as_many_rows():
    X, y = draw_per_class(SPLIT, 3, 0)
    assert sorted(y) == ["down"] * 3 + ["up"] * 3
    assert len(set(X)) == 6
