"""LoadVolumed among MONAI's transforms, with LoadImaged as the other reader."""

from __future__ import annotations

import pickle
from inspect import signature
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import (
    Compose,
    CropForegroundd,
    EnsureChannelFirstd,
    LoadImaged,
    Orientationd,
    RandFlipd,
    SaveImage,
    SaveImaged,
    ScaleIntensityRanged,
    Spacingd,
)

from medvision.errors import MedvisionError, SeriesError
from medvision.imaging import load_volume, save_nifti
from medvision.testing.samples import phantom, sample
from medvision.transforms.load import LoadVolumed


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(np.eye(3) + 0.1 * rng.normal(size=(3, 3)))[0] @ np.diag([0.8, 1.1, 2.5])
    affine[:3, 3] = [10, -20, 30]
    return save_nifti(tmp_path / "scan.nii.gz", rng.integers(-1000, 1000, (9, 10, 7)).astype("i2"), affine)


def same(one: MetaTensor, other: MetaTensor) -> None:
    assert torch.equal(one.as_tensor(), other.as_tensor())
    assert one.dtype == other.dtype
    assert torch.allclose(one.affine, other.affine, atol=1e-6)


def test_equals_load_imaged(scan: Path) -> None:
    ours = LoadVolumed("image")({"image": str(scan)})["image"]
    theirs = LoadImaged("image", ensure_channel_first=True)({"image": str(scan)})["image"]
    same(ours, theirs)
    for key in ("filename_or_obj", "space"):
        assert ours.meta[key] == theirs.meta[key]
    assert list(ours.meta["spatial_shape"]) == list(theirs.meta["spatial_shape"])
    assert np.allclose(ours.meta["original_affine"], theirs.meta["original_affine"])


def test_equals_load_imaged_after_other_transforms(scan: Path) -> None:
    def pipeline(load: object) -> Compose:
        return Compose(
            [
                load,
                Orientationd("image", "LPS", labels=None),
                Spacingd("image", (1.0, 1.0, 2.0), mode="bilinear"),
            ]
        )

    ours = pipeline(LoadVolumed("image"))({"image": scan})["image"]
    theirs = pipeline(LoadImaged("image", ensure_channel_first=True))({"image": scan})["image"]
    same(ours, theirs)


@pytest.mark.parametrize("channel_first", [True, False])
def test_ensure_channel_first_composes(scan: Path, channel_first: bool) -> None:
    load = LoadVolumed("image", ensure_channel_first=channel_first)
    assert Compose([load, EnsureChannelFirstd("image")])({"image": scan})["image"].shape == (1, 9, 10, 7)


def test_inverse_of_later_transforms(scan: Path) -> None:
    flip = RandFlipd("image", prob=1.0, spatial_axis=0)
    loaded = LoadVolumed("image")({"image": scan})
    flipped = flip(loaded)
    assert not torch.equal(flipped["image"].as_tensor(), loaded["image"].as_tensor())
    same(flip.inverse(flipped)["image"], loaded["image"])


def test_batches_through_workers(scan: Path) -> None:
    data = Dataset([{"image": str(scan)}] * 3, LoadVolumed("image"))
    (batch,) = DataLoader(data, batch_size=3, num_workers=1)
    assert batch["image"].shape == (3, 1, 9, 10, 7)
    assert batch["image"].meta["modality"] == ["", "", ""]


def test_written_by_monai_it_lies_where_it_lay(scan: Path, tmp_path: Path) -> None:
    image = LoadVolumed("image")({"image": scan})["image"]
    save = SaveImage(tmp_path / "out", output_postfix="seg", separate_folder=False, print_log=False)
    save(image)
    written = nib.load(tmp_path / "out" / "scan_seg.nii.gz")
    assert written.affine == pytest.approx(nib.load(scan).affine, abs=1e-5)
    assert np.array_equal(written.get_fdata(), nib.load(scan).get_fdata())


def test_each_call_gives_its_own_writable_tensor(scan: Path) -> None:
    load = LoadVolumed("image", dtype=np.int16)
    first = load({"image": scan})["image"]
    assert first.dtype == torch.int16
    before = int(first[0, 0, 0, 0])
    first += 1
    assert int(load({"image": scan})["image"][0, 0, 0, 0]) == before


def test_keys_and_pickling(scan: Path) -> None:
    load = pickle.loads(pickle.dumps(LoadVolumed(["image", "mask"], allow_missing_keys=True)))
    loaded = load({"image": scan, "label": 3})
    assert set(loaded) == {"image", "label"}
    with pytest.raises(KeyError, match="mask"):
        LoadVolumed(["image", "mask"])({"image": scan})


def test_refusals_come_through(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="no DICOM file in it"):
        LoadVolumed("image")({"image": str(tmp_path)})


class TestInThePlaceOfLoadImaged:
    """The same pipeline with the one and with the other, to the files that it writes."""

    @staticmethod
    def pipeline(load: list[object], folder: Path) -> Compose:
        return Compose(
            [
                *load,
                Orientationd(["image", "mask"], "RAS", labels=None),
                Spacingd(["image", "mask"], (1.0, 1.0, 2.0), mode=("bilinear", "nearest")),
                ScaleIntensityRanged("image", -1000, 1000, 0, 1, clip=True),
                CropForegroundd(["image", "mask"], source_key="mask", allow_smaller=False),
                RandFlipd(["image", "mask"], prob=1.0, spatial_axis=1),
                SaveImaged(["image", "mask"], output_dir=folder, print_log=False, resample=True),
            ]
        )

    @pytest.mark.parametrize("channel_first", [True, False])
    def test_tensors_inverse_and_files_are_equal(
        self, scan: Path, tmp_path: Path, channel_first: bool
    ) -> None:
        mask = save_nifti(tmp_path / "mask.nii", np.ones((9, 10, 7), "u1"), nib.load(scan).affine)
        keys, made = ["image", "mask"], []
        for kind in (LoadVolumed, LoadImaged):
            load = kind(keys, None, np.float32, image_only=True, ensure_channel_first=channel_first)
            first = [load] if channel_first else [load, EnsureChannelFirstd(keys)]
            run = self.pipeline(first, tmp_path / kind.__name__)
            done = run({"image": str(scan), "mask": str(mask)})
            before = Compose(run.transforms[len(first) : -1]).inverse(dict(done))
            files = sorted((tmp_path / kind.__name__).rglob("*.nii.gz"))
            made.append((done, before, files))
        (ours, our_inverse, our_files), (theirs, their_inverse, their_files) = made
        for key in keys:
            same(ours[key], theirs[key])
            same(our_inverse[key], their_inverse[key])
            assert [t["class"] for t in ours[key].applied_operations] == [
                t["class"] for t in theirs[key].applied_operations
            ]
        assert [f.relative_to(tmp_path / "LoadVolumed") for f in our_files] == [
            f.relative_to(tmp_path / "LoadImaged") for f in their_files
        ]
        assert len(our_files) == 2
        for one, other in zip(our_files, their_files, strict=True):
            assert np.array_equal(nib.load(one).get_fdata(), nib.load(other).get_fdata())
            assert nib.load(one).affine == pytest.approx(nib.load(other).affine, abs=1e-5)

    def test_every_argument_stands_where_loadimaged_has_it(self) -> None:
        ours = list(signature(LoadVolumed.__init__).parameters)
        theirs = list(signature(LoadImaged.__init__).parameters)
        assert ours[:9] == theirs[:9]

    def test_meta_data_under_a_key_of_their_own(self, scan: Path) -> None:
        for arguments in ({}, {"meta_keys": "where"}, {"meta_key_postfix": "header"}):
            ours = LoadVolumed("image", image_only=False, **arguments)({"image": scan})
            theirs = LoadImaged("image", image_only=False, ensure_channel_first=True, **arguments)(
                {"image": scan}
            )
            assert ours.keys() == theirs.keys()
            (name,) = ours.keys() - {"image"}
            assert ours[name]["filename_or_obj"] == theirs[name]["filename_or_obj"]
        taken = {"image": scan, "image_meta_dict": 1}
        with pytest.raises(KeyError, match="image_meta_dict is there already"):
            LoadVolumed("image", image_only=False)(taken)
        assert LoadVolumed("image", image_only=False, overwriting=True)(taken)["image_meta_dict"] != 1

    def test_another_reader_or_too_few_meta_keys_are_refused(self) -> None:
        with pytest.raises(MedvisionError, match="LoadVolumed reads by itself; leave reader='ITKReader' out"):
            LoadVolumed("image", "ITKReader")
        with pytest.raises(MedvisionError, match="1 meta_keys for 2 keys"):
            LoadVolumed(["image", "mask"], meta_keys="one")


@pytest.mark.parametrize("name", ["zip-dicom", "zip-nifti", "nrrd-gz", "mha"])
def test_other_formats_and_zips_of_a_series(name: str, tmp_path: Path) -> None:
    ((file, content),) = sample(name).items()
    (tmp_path / file).write_bytes(content)
    image = LoadVolumed("image")({"image": str(tmp_path / file)})["image"]
    assert np.array_equal(image.numpy()[0], phantom().array)
    assert image.affine.numpy() == pytest.approx(phantom().affine, abs=1e-4)
    assert image.meta["filename_or_obj"] == str(tmp_path / file)


@pytest.mark.data
def test_a_dicom_series_in_ras(data_dir: Path) -> None:
    folder = data_dir / "dicom" / "mr_study_PGBM-003" / "11-T1post-18670"
    for source in (folder, sorted(folder.iterdir(), reverse=True)):
        image = LoadVolumed("image")({"image": source})["image"]
        volume = load_volume(folder)
        assert np.array_equal(image.numpy()[0], volume.array)
        assert image.affine.numpy() == pytest.approx(volume.affine)
        assert image.meta["filename_or_obj"] == str(folder)
        assert (image.meta["modality"], image.meta["patient_id"]) == ("MR", "PGBM-003")


@pytest.mark.data
def test_equals_load_imaged_on_real_scans(data_dir: Path) -> None:
    scans = [
        *sorted((data_dir / "hippocampus" / "imagesTr").glob("*.nii.gz"))[:3],
        *sorted((data_dir / "lidc_nodules" / "images").glob("*.nii.gz"))[:3],
    ]
    assert len(scans) == 6
    for path in scans:
        ours = LoadVolumed("image")({"image": path})["image"]
        same(ours, LoadImaged("image", ensure_channel_first=True)({"image": path})["image"])
