"""What the benchmarks compute from their measurements."""

import subprocess

import pytest

from benchmarks.shared import measuring
from benchmarks.shared.machine import busy_cores, busy_cpu_seconds


def test_spread_is_median_and_range():
    expected = {"median": 2.0, "low": 1.0, "high": 5.0, "n": 3}
    assert measuring.spread([5.0, 1.0, 2.0]) == expected


def test_deviation_is_that_of_a_sample():
    figure = measuring.mean_and_sd([0.5, 0.7])
    assert figure == {"mean": 0.6, "sd": pytest.approx(0.02**0.5), "n": 2}


def test_each_score_is_summarized_over_the_seeds():
    found = measuring.summarize([{"a": 1.0, "b": 5.0}, {"a": 3.0, "b": 5.0}])
    assert {name: one["mean"] for name, one in found.items()} == {"a": 2, "b": 5}
    assert found["b"] == {"mean": 5, "sd": 0, "n": 2}


def test_ratios_pair_the_rounds():
    # A machine twice as slow in the second round changes no ratio.
    assert measuring.paired_ratios([4.0, 8.0], [1.0, 2.0]) == [4.0, 4.0]


def test_percentile_is_a_measured_value():
    measured = [measuring.percentile(range(10, 0, -1), p) for p in (1, 50, 90, 100)]
    assert measured == [1, 5, 9, 10]


def test_every_arm_is_called_once_a_round_in_an_order_that_the_seed_decides():
    def rounds(seed):
        calls = []
        arms = {name: lambda name=name: calls.append(name) or name for name in "abcd"}
        measured = measuring.interleave(arms, repeats=3, seed=seed, settle_s=0.0)
        assert measured == {name: [name] * 3 for name in "abcd"}
        return [tuple(calls[start : start + 4]) for start in (0, 4, 8)]

    assert all(sorted(one) == ["a", "b", "c", "d"] for one in rounds(0))
    assert len(set(rounds(0))) > 1
    assert rounds(0) == rounds(0) != rounds(1)


def test_fastest_stops_after_two_that_are_slower():
    seconds = {8: 3.0, 16: 2.0, 32: 2.5, 64: 2.1, 128: 1.0}
    tried = []

    def time_of(size):
        tried.append(size)
        return seconds[size]

    assert measuring.fastest(seconds, time_of) == (16, 2.0)
    assert tried == [8, 16, 32, 64]


def test_busy_time_counts_what_was_stolen(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 100)
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 800 50 0 0 10 0 0\ncpu0 1 2 3 4\n")
    # user, system and stolen time; neither idle nor waiting for a disk.
    assert busy_cpu_seconds(stat) == 1.6
    assert busy_cpu_seconds(tmp_path / "none") is None


def test_busy_cores_are_free_again_afterwards(monkeypatch):
    started = []

    def start(command):
        started.append(start_process(command))
        return started[-1]

    start_process = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start)
    with busy_cores(2):
        assert [one.poll() for one in started] == [None, None]
    assert None not in [one.poll() for one in started]
