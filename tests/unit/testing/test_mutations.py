from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from medvision.testing.headers import HEADER_CHANGES
from medvision.testing.mutations import DAMAGES, write_mutant
from medvision.testing.samples import sample

BASE = {"dicom": "dicom-explicit", "nifti": "nifti1-gz", "nrrd": "nrrd", "mha": "mha", "zip": "zip-dicom"}


@pytest.mark.parametrize("name", [*DAMAGES, *HEADER_CHANGES])
def test_every_change_changes_and_draws_from_its_generator_alone(name: str) -> None:
    content = next(iter(sample(BASE[name.split(":")[0]] if ":" in name else "nifti1").values()))
    change = (DAMAGES | HEADER_CHANGES)[name]
    made = [change(content, np.random.default_rng(seed)) for seed in range(30)]
    again = [change(content, np.random.default_rng(seed)) for seed in range(30)]
    assert made == again
    assert len(set(made)) > 1 or name == "zip:member"
    assert sum(one != content for one in made) > 20


def test_a_header_that_lies_stands_in_a_whole_file() -> None:
    content = sample("nifti1-gz")["scan.nii.gz"]
    for seed in range(20):
        changed = HEADER_CHANGES["nifti:field"](content, np.random.default_rng(seed))
        assert gzip.decompress(changed)[352:] == gzip.decompress(content)[352:]


@pytest.mark.parametrize(("number", "kind"), [(7, "bomb/"), (17, "path/")])
def test_of_twenty_one_is_a_bomb_and_one_a_path(number: int, kind: str, tmp_path: Path) -> None:
    mutant = write_mutant(tmp_path, 3, number)
    assert mutant.name.startswith(kind)
    assert (mutant.seed, mutant.number) == (3, number)
