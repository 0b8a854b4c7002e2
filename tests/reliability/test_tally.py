"""A lost case fails its test, after all cases have been counted."""

import pytest

from reliability.tally import Tally, format_table


def test_a_lost_case_is_counted_and_raised_at_the_end():
    tally = Tally(is_soak=False)
    for k in range(4):
        with tally.case("fault"):
            assert k != 2
    assert tally.to_property() == {"fault": [4, 1]}
    with pytest.raises(ExceptionGroup, match="1 of 4 cases were lost") as caught:
        tally.raise_errors()
    assert isinstance(caught.value.exceptions[0], AssertionError)


def test_nothing_is_raised_if_no_case_is_lost():
    tally = Tally(is_soak=False)
    with tally.case("fault"):
        pass
    tally.raise_errors()


def test_an_interrupt_is_not_a_case():
    with pytest.raises(KeyboardInterrupt), Tally(is_soak=False).case("fault"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(("is_soak", "n"), [(False, 3), (True, 300)])
def test_the_full_run_tries_more(is_soak, n):
    assert Tally(is_soak=is_soak).count(ci=3, soak=300) == n


def test_the_table_adds_the_counts_of_all_tests():
    table = format_table([{"a": [3, 1], "b": [2, 0]}, {"a": [4, 0]}])
    assert [line.split() for line in table] == [
        ["fault", "tried", "survived", "lost"],
        ["a", "7", "6", "1"],
        ["b", "2", "2", "0"],
    ]
