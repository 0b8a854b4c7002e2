"""The parts of benchmarks/finetuning.py that are not a matter of time."""

import pytest

HEADS = ("setfit-head", "sentence-transformers+LogisticRegression")


@pytest.fixture
def folder(tmp_path):
    """Give a function that writes the sets of a data set."""

    def write(**files):
        for name, content in files.items():
            file = tmp_path / f"{name}.tsv"
            file.write_text(content, encoding="utf-8", newline="")
        return tmp_path

    return write


class TestArguments:
    def parse(self, load, *more):
        return load("finetuning").parse_arguments(["--data", "folder", *more])

    def test_all_texts_are_trained_on_for_accuracy(self, load):
        options = self.parse(load)
        assert (options.epochs, options.seeds, options.n_train) == (3, 5, None)

    def test_speed_is_measured_in_one_epoch_of_a_subset(self, load):
        options = self.parse(load, "--speed-only")
        assert (options.epochs, options.seeds, options.n_train) == (1, 5, 1024)

    def test_given_numbers_are_kept(self, load):
        options = self.parse(load, "--speed-only", "--epochs", "2", "--n-train", "64")
        assert (options.epochs, options.n_train) == (2, 64)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--seeds", "1"], "--seeds must be at least 2. Got 1."),
            (["--speed-only", "--seeds", "4"], "--seeds must be at least 5. Got 4."),
            (["--dev-score", "91"], "--dev-score must be a share"),
            (["--dev-score", "0.9", "--speed-only"], "exclude each other"),
            (["--race-only"], "--race-only needs --dev-score"),
        ],
    )
    def test_wrong_arguments_are_refused(self, load, capsys, arguments, message):
        with pytest.raises(SystemExit):
            self.parse(load, *arguments)
        assert message in capsys.readouterr().err

    def test_data_must_be_given(self, load, capsys):
        with pytest.raises(SystemExit):
            load("finetuning").parse_arguments([])
        assert "--data" in capsys.readouterr().err

    def test_arm_of_no_such_name_is_refused(self, load):
        arms = list(load("_finetuning_arms").all_arms())
        with pytest.raises(SystemExit, match=r"trainer-default.*Got \['x'\]"):
            load("_script").choose_arms(arms, ["x"])


class TestData:
    ROWS = "text\tlabel\na film\tup\na story\tdown\n"

    def read(self, load, folder, *arguments):
        finetuning = load("finetuning")
        options = finetuning.parse_arguments(["--data", str(folder), *arguments])
        return finetuning.read_data(options)

    def test_reads_quoted_texts_with_their_labels(self, load, folder):
        content = 'label\ttext\n1\t"two ""quoted""\nlines"\n0\tcafé\n'
        read = load("_labelled").read_split(folder(train=content), "train")
        assert read.texts == ['two "quoted"\nlines', "café"]
        assert read.labels == ["1", "0"]

    @pytest.mark.parametrize(
        ("content", "missing"),
        [("text\ny\n", "no label"), ("a\tb\n1\t2\n", "no text and no label")],
    )
    def test_file_without_the_columns_is_refused(self, load, folder, content, missing):
        with pytest.raises(ValueError, match=missing):
            load("_labelled").read_split(folder(dev=content), "dev")

    def test_sets_that_are_not_there_are_left_out(self, load, folder):
        assert set(self.read(load, folder(train=self.ROWS))) == {"train"}
        assert set(self.read(load, folder(test=self.ROWS))) == {"train", "test"}

    def test_speed_needs_the_training_set_only(self, load, folder):
        files = folder(train=self.ROWS, dev=self.ROWS, test=self.ROWS)
        assert set(self.read(load, files, "--speed-only")) == {"train"}

    def test_dev_score_needs_a_dev_set(self, load, folder):
        with pytest.raises(SystemExit, match=r"--data must hold dev\.tsv"):
            self.read(load, folder(train=self.ROWS), "--dev-score", "0.9")

    def test_subset_is_drawn_once(self, data):
        drawn = data.draw(5, seed=0)
        assert len(drawn) == 5
        assert drawn == data.draw(5, seed=0)
        assert drawn != data.draw(5, seed=1)
        label_of = dict(zip(data.texts, data.labels, strict=True))
        assert [label_of[text] for text in drawn.texts] == drawn.labels

    @pytest.mark.parametrize("n", [None, 12, 100])
    def test_all_are_drawn_if_there_are_no_more(self, data, n):
        assert data.draw(n, seed=0) is data

    def test_accuracy_is_the_share_of_right_labels(self, data):
        assert data.accuracy(["up"] * 12) == 0.5


class TestRun:
    @pytest.mark.parametrize("race_only", [True, False])
    def test_race_alone_has_no_rounds(
        self, load, folder, tiny_bert, monkeypatch, race_only
    ):
        finetuning = load("finetuning")
        monkeypatch.setattr(finetuning, "set_threads", lambda n_threads: None)
        rows = TestData.ROWS * 4
        given = ["--data", str(folder(train=rows, dev=rows)), "--quick"]
        more = ["--dev-score", "0.5", "--arms", "sklearn_bert"]
        alone = ["--race-only"] if race_only else []
        options = finetuning.parse_arguments([*given, *more, *alone])
        setup = load("_encoders").Setup(str(tiny_bert), "", 16, "cpu", 1)
        result = finetuning.run(options, setup)
        assert len(result["race"]["arms"]["sklearn_bert"]) == 2
        assert ("rounds" in result) is not race_only


class TestArms:
    def test_names_are_unique_and_hold_those_of_the_tables(self, load):
        arms = load("_finetuning_arms")
        names = [arm.name for arm in arms.all_arms()]
        assert len(names) == len(set(names))
        assert {arms.BASELINE, *arms.TUNED, *HEADS} <= set(names)

    def test_only_the_heads_are_heads(self, load):
        arms = load("_finetuning_arms").all_arms()
        assert [arm.name for arm in arms if arm.is_head] == list(HEADS)

    def test_bfloat16_needs_its_instructions(self, load, monkeypatch):
        arms = load("_arms")
        monkeypatch.setattr(arms, "cpu_has", lambda *features: False)
        arm = arms.Candidate("a", object, "json", "some-peer", "bfloat16")
        reason = arm.reason_not_to_run("cpu")
        assert reason == "not run: no bfloat16 instructions known of this CPU"
