"""Token ids of texts, of which some may have several sequences."""

from sklearn_bert._engine.text.token_sequences import TokenSequences, text_boundaries

# The second of three texts has two windows.
WINDOWS = TokenSequences([[1], [2, 2], [3], [4]], None, [0, 1, 1, 2])


def test_windows_count_as_one_text():
    assert WINDOWS.n_texts == 3


def test_no_texts_are_none():
    assert TokenSequences().n_texts == 0


def test_a_text_begins_with_its_first_window():
    assert text_boundaries(WINDOWS).tolist() == [0, 1, 3]


def test_taken_texts_keep_their_windows_and_are_renumbered():
    taken = WINDOWS.take([2, 1])
    assert taken.ids == [[4], [2, 2], [3]]
    assert taken.text_index == [0, 1, 1]


def test_taken_pairs_keep_the_start_of_their_second_text():
    pairs = TokenSequences([[1, 2], [3, 4, 5]], [1, 2], [0, 1])
    assert pairs.take([1]).second_starts == [2]


def test_taken_sentences_keep_the_places_of_their_words():
    words = TokenSequences([[1, 2], [3, 4, 5]], None, [0, 1], [[1], [1, 2]])
    assert words.take([1]).word_positions == [[1, 2]]


def test_texts_differ_in_their_windows():
    one, two = (
        TokenSequences([[1, 2]], None, [0]),
        TokenSequences([[1], [2]], None, [0, 0]),
    )
    assert [*one.contents] != [*two.contents]


def test_pairs_differ_in_the_start_of_their_second_text():
    pairs = TokenSequences([[1, 2], [1, 2], [1, 2]], [1, 2, 1], [0, 1, 2])
    first, second, third = pairs.contents
    assert first == third != second


def test_sentences_differ_in_their_words():
    words = TokenSequences([[1, 2], [1, 2]], None, [0, 1], [[1], [0, 1]])
    first, second = words.contents
    assert first != second


def test_rows_are_words_or_one_per_text():
    words = TokenSequences([[1, 2], [3], [4]], None, [0, 0, 1], [[0, 1], [0], []])
    assert words.n_rows_each.tolist() == [3, 0]
    assert WINDOWS.n_rows_each.tolist() == [1, 1, 1]
