"""How arms are trained in turns: the clock, the goal, the learners."""


class TestClock:
    def test_paused_time_does_not_count(self, load, monkeypatch):
        measure = load("_measure")
        ticks = iter([0.0, 3.0, 10.0, 12.0])
        monkeypatch.setattr(measure.time, "perf_counter", lambda: next(ticks))
        clock = measure.Clock(lambda: None)
        with clock.paused():
            pass
        assert clock.paused_s == 7.0
        assert clock.seconds == 5.0


class TestGoal:
    class Learner:
        def __init__(self, *answers):
            self.answers = iter(answers)

        def predict(self, texts):
            return [next(self.answers)] * len(texts)

    def test_seconds_are_those_of_the_first_time(self, load, data):
        clock = load("_measure").Clock(lambda: None)
        goal = load("_learners").Goal(data, 0.5)
        learner = self.Learner("other", "up", "down")
        assert not goal.check(learner, clock)
        assert goal.seconds is None
        assert goal.check(learner, clock)
        first = goal.seconds
        assert goal.check(learner, clock)
        assert goal.seconds == first
        assert goal.scores == [0.0, 0.5, 0.5]

    def test_scoring_does_not_count(self, load, data):
        clock = load("_measure").Clock(lambda: None)
        load("_learners").Goal(data, 0.5).check(self.Learner("up"), clock)
        assert clock.paused_s > 0


class TestSklearnBert:
    """Of all learners, the only one whose library is there without extras."""

    def fit(self, load, data, tiny_bert, goal=None):
        setup = load("_encoders").Setup(str(tiny_bert), "", 16, "cpu", 1)
        learners = load("_learners")
        recipe = learners.Recipe(setup, data.classes, 3, 4, 1e-3)
        learner = learners.SklearnBert(recipe, seed=0)
        clock = load("_measure").Clock(lambda: None)
        learner.fit(data, clock, goal)
        return learner, clock

    def test_loading_does_not_count(self, load, data, tiny_bert):
        learner, clock = self.fit(load, data, tiny_bert)
        assert clock.paused_s > 0
        assert 0 < learner.loop_s < clock.seconds
        assert set(learner.predict(data.texts)) <= {"up", "down"}

    def test_each_epoch_is_checked(self, load, data, tiny_bert):
        goal = load("_learners").Goal(data, 2.0)
        self.fit(load, data, tiny_bert, goal)
        assert len(goal.scores) == 3
        assert goal.seconds is None

    def test_stops_at_the_goal(self, load, data, tiny_bert):
        goal = load("_learners").Goal(data, 0.0)
        _, clock = self.fit(load, data, tiny_bert, goal)
        assert len(goal.scores) == 1
        assert 0 < goal.seconds < clock.seconds


class TestRounds:
    def test_arm_that_fails_is_named_and_the_others_run(self, load):
        learners, arms = load("_learners"), load("_finetuning_arms")
        data = load("_labelled").Labelled(["a film"] * 4, ["down", "up", "up", "up"])

        class Broken:
            def __init__(self, recipe, seed):
                raise ImportError("no part of it\nmore")

        class Constant:
            loop_s = None

            def __init__(self, recipe, seed):
                self.seed = seed

            def fit(self, data, clock, goal=None):
                self.label = data.classes[self.seed]

            def predict(self, texts):
                return [self.label] * len(texts)

        chosen = [
            arms.TrainingArm("broken", Broken, "json", "x"),
            arms.TrainingArm("missing", Broken, "no_such_module", "some-peer"),
            arms.TrainingArm("constant", Constant, "json", "x"),
        ]
        rounds = load("_finetuning_rounds")
        setup = load("_encoders").Setup("", "", 16, "cpu", 1)
        recipe = learners.Recipe(setup, data.classes, 1, 4, 1e-3)
        plan = rounds.Plan(recipe, data, {"test": data}, 2, 0, 0.0)
        result = {"arms": {}}
        running = rounds.warm_up(plan, chosen, result)
        assert running == chosen[2:]
        assert {
            name: about.get("not_run") for name, about in result["arms"].items()
        } == {
            "broken": "not run: ImportError: no part of it",
            "missing": "missing: pip install some-peer",
            "constant": None,
        }
        # The k-th round of every arm has seed k.
        records = rounds.measure(plan, running)["arms"]["constant"]
        assert [record["test"] for record in records] == [0.25, 0.75]
