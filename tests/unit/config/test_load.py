"""Whole files: every error at once, each at its place."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from medvision.config import StudyFile, load_study, load_study_file
from medvision.errors import ConfigError


def test_the_right_file_loads_with_its_defaults(study_file, classification):
    study = load_study(study_file(classification))
    assert study.name == "nodules"
    assert study.training.epochs == 3
    assert study.split.folds == 5
    assert study.model.kind == "resnet"


def test_the_study_is_frozen(study_file, classification):
    study = load_study(study_file(classification))
    with pytest.raises(ValueError, match="frozen"):
        study.training.epochs = 4


def test_an_unknown_key_names_line_column_and_the_right_word(problems_of, segmentation):
    text = segmentation.replace("  channels:", "  chanels:")
    assert problems_of(text) == ["study.yaml:8:3: model.chanels: unknown key; did you mean 'channels'?"]


def test_all_errors_are_reported_at_once(problems_of):
    found = problems_of(
        "name: two words\n"
        "seeed: 4\n"
        "cohort: {kind: manifst, path: a.csv}\n"
        "task: {kind: segmentation, labels: {a: 1, b: 1}}\n"
        "model: {kind: unet, dropout: 1.5}\n"
        "training:\n"
        "  epochs: abc\n"
        "  batch_size: 0\n"
        "  patch_voxels: [16, 16]\n"
        "split: [5]\n"
        "prediction: {mirror_axes: 0}\n"
    )
    starts = [problem.split(": ")[0:2] for problem in found]
    assert starts == [
        ["study.yaml:1:7", "name"],
        ["study.yaml:2:1", "seeed"],
        ["study.yaml:3:16", "cohort.kind"],
        ["study.yaml:4:36", "task.labels"],
        ["study.yaml:5:30", "model.dropout"],
        ["study.yaml:7:11", "training.epochs"],
        ["study.yaml:8:15", "training.batch_size"],
        ["study.yaml:9:17", "training.patch_voxels"],
        ["study.yaml:10:8", "split"],
        ["study.yaml:11:27", "prediction.mirror_axes"],
    ]


def test_parts_that_do_not_fit_are_found_beside_errors_elsewhere(problems_of, segmentation):
    text = segmentation.replace("kind: unet", "kind: resnet").replace("  channels: [16, 32, 64, 128]\n", "")
    found = problems_of(text + "seeed: 3\ntraining: {epochs: x}\n")
    assert (
        "study.yaml:7:9: model.kind: resnet classifies; a segmentation task takes unet, dynunet or custom"
        in found
    )
    assert len(found) == 3


def test_parts_that_do_not_fit_are_found_beside_an_unknown_key_of_the_same_part(problems_of, segmentation):
    text = segmentation.replace("kind: unet", "kind: resnet")
    found = problems_of(text)
    assert len(found) == 2
    assert "unknown key; only kind unet and dynunet has it" in found[1]
    assert "resnet classifies" in found[0]


def test_an_unknown_key_does_not_make_its_known_twin_a_second_error(problems_of, classification):
    text = classification.replace("  mask: mask", "  maskk: mask")
    assert problems_of(text) == [
        "study.yaml:5:3: cohort.maskk: unknown key; did you mean 'mask'?",
    ]


def test_the_error_counts_its_problems(study_file, segmentation):
    with pytest.raises(ConfigError, match=r"^1 problem in study\.yaml\n"):
        load_study(study_file(segmentation + "seed: x\n"))
    with pytest.raises(ConfigError, match=r"^2 problems in study\.yaml\n"):
        load_study(study_file(segmentation + "seed: x\ntitle: 3\n"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "study.yaml:1:1: the file is empty"),
        ("# only a comment\n", "study.yaml:1:1: the file is empty"),
        ("- name: a\n", "study.yaml:1:1: expected a mapping such as 'name: lung', found a list"),
        ("just text\n", "study.yaml:1:1: expected a mapping such as 'name: lung', found a single value"),
        ("name: [a\n", "study.yaml:2:1: not YAML: expected ',' or ']'"),
        ("name: a\n\tseed: 1\n", "study.yaml:2:1: not YAML: a tab; indent with spaces"),
        ("name: a\n  seed: 1\n", "study.yaml:2:7: not YAML: a second ':'"),
        ("name: a\n---\nname: b\n", "study.yaml:2:1: not YAML: a second document"),
    ],
)
def test_what_is_no_study_at_all(problems_of, text, problem):
    found = problems_of(text)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        load_study(tmp_path / "absent.yaml")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_study(tmp_path)


def test_a_file_that_is_not_utf8(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_bytes("title: Läsion".encode("latin-1"))
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_study(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path, segmentation):
    path = tmp_path / "study.yaml"
    path.write_text(segmentation, encoding="utf-8-sig")
    assert load_study(path).name == "hippocampus"


def test_missing_keys_point_at_their_parent(problems_of):
    found = problems_of(
        "name: a\ncohort:\n  kind: msd\ntask: {kind: segmentation, labels: {a: 1}}\nmodel:\n  norm: batch\n"
    )
    assert found == [
        "study.yaml:2:1: cohort.path: missing: The table or description; relative to the study file. "
        "`${NAME}` and `${NAME:-default}` are filled in from the environment.",
        "study.yaml:5:1: model.kind: missing; "
        "write one of resnet, densenet, unet, dynunet, installed, custom",
    ]


def test_a_missing_part_points_at_the_top_of_the_file(problems_of):
    found = problems_of(
        "# a study\nname: a\ntask: {kind: segmentation, labels: {a: 1}}\nmodel: {kind: unet}\n"
    )
    assert found == ["study.yaml:2:1: cohort: missing: Who is in the study."]


def test_where_the_study_stands(study_file, classification, tmp_path, monkeypatch):
    located = load_study_file(study_file(classification, "a/study.yaml"))
    assert isinstance(located, StudyFile)
    assert located.folder == tmp_path / "a"
    assert located.source == tmp_path / "a" / "study.yaml"
    assert located.study.cohort.path == "cohort.csv"
    assert located.cohort_path == tmp_path / "a" / "cohort.csv"


def test_the_cohort_path_takes_variables(study_file, classification, tmp_path, monkeypatch):
    text = classification.replace("cohort.csv", "${MEDVISION_NO_SUCH:-../data}/cohort.csv")
    located = load_study_file(study_file(text, "a/study.yaml"))
    assert located.study.cohort.path == "${MEDVISION_NO_SUCH:-../data}/cohort.csv"
    assert located.cohort_path == tmp_path / "a" / ".." / "data" / "cohort.csv"
    monkeypatch.setenv("MEDVISION_NO_SUCH", "/elsewhere")
    assert located.cohort_path == Path("/elsewhere/cohort.csv")


def test_a_malformed_variable_is_an_error_of_the_file(problems_of, classification):
    found = problems_of(classification.replace("cohort.csv", "${A-b}/cohort.csv"))
    assert len(found) == 1
    assert found[0].startswith(
        "study.yaml:4:9: cohort.path: '${A-b}/cohort.csv' has a variable of another form"
    )


def test_code_in_a_file_is_refused_and_not_run(problems_of, segmentation, tmp_path):
    found = problems_of(
        segmentation + f'title: !!python/object/apply:pathlib.Path.touch ["{tmp_path}/ran"]\n'
    )
    assert (
        "study.yaml:9:8: title: the tag 'tag:yaml.org,2002:python/object/apply:pathlib.Path.touch'"
        in found[0]
    )
    assert not (tmp_path / "ran").exists()


def test_a_study_loads_in_a_moment(study_file, classification):
    path = study_file(classification)
    load_study(path)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        load_study(path, ["training.epochs=5"])
        times.append(time.perf_counter() - start)
    # 5 ms on the machine this was written on; the limit is that of the design.
    assert min(times) < 0.05


def test_loading_a_study_imports_nothing_heavy(study_file, classification):
    heavy = ["torch", "monai", "lightning", "sklearn", "scipy", "pandas", "numpy", "matplotlib"]
    code = (
        "import sys; from medvision.config import load_study, dump_study, study_hash;"
        f"study_hash(load_study({str(study_file(classification).absolute())!r}));"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
