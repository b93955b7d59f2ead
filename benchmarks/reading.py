"""How long it takes to read a scan, beside the readers that people use, in one run.

    python benchmarks/reading.py --data ../shared/data
    python benchmarks/reading.py --rows nifti --repeats 7

Each row reads the same files with each reader in turn, again and again, and prints each one's best time and
how many times as long as medvision's it is. All run in one process with one thread, the files are in the
system's cache, and the voxels are compared before anything is timed.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the libraries look

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813 (as everybody calls it)
import torch
from isal import isal_zlib
from monai.data import PydicomReader
from pydicom import dcmread
from scipy import ndimage

from medvision.imaging import load_volume, save_nifti
from medvision.testing import Phantom, affine_of, write_dicom_series

SHAPE = (512, 512, 300)
Reader = Callable[[], np.ndarray]


@dataclass
class Row:
    """One scan and the readers of it; the first is medvision's, ``bounds`` give no voxels to compare."""

    name: str
    readers: dict[str, Reader]
    bounds: dict[str, Callable[[], object]]


def phantom(shape: tuple[int, int, int] = SHAPE) -> Phantom:
    """Smooth tissue with noise in a cylinder of air, −1024 to about 1500, as a CT compresses."""
    random = np.random.default_rng(0)
    voxels = np.empty(shape, np.int16, order="F")
    x, y = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    body = x**2 + y**2 < 0.7
    for k in range(shape[2]):
        tissue = ndimage.gaussian_filter(random.standard_normal(shape[:2]), 3) * 600
        voxels[..., k] = np.where(body, tissue + random.normal(0, 12, shape[:2]), -1024)
    empty = np.broadcast_to(np.uint8(0), shape)
    return Phantom("CT", voxels, affine_of(shape, (0.7, 0.7, 1.0)), empty, {}, (), "HFS", 0)


def nifti(scan: Phantom, folder: Path) -> Row:
    """A .nii.gz of int16 beside NiBabel's default, and beside its decompression alone."""
    path = save_nifti(folder / "scan.nii.gz", scan.array, scan.affine)
    return Row(
        f".nii.gz {'×'.join(map(str, scan.array.shape))} int16, {path.stat().st_size >> 20} MiB",
        {
            "medvision": lambda: load_volume(path).array,
            "nibabel (dataobj)": lambda: np.asarray(nib.load(path).dataobj),
            "nibabel (get_fdata)": lambda: nib.load(path).get_fdata(),
            "SimpleITK": lambda: sitk.GetArrayViewFromImage(_kept(sitk.ReadImage(str(path)))).T,
        },
        {"isal, decompression alone": lambda: isal_zlib.decompress(path.read_bytes(), 31)},
    )


def dicom(name: str, files: list[Path]) -> Row:
    """A series of single-frame files beside SimpleITK, MONAI and a loop of pydicom."""
    monai, folder = PydicomReader(), str(files[0].parent)
    return Row(
        name,
        {
            "medvision": lambda: load_volume(files).array,
            "SimpleITK ImageSeriesReader": lambda: _simpleitk(files),
            "MONAI PydicomReader": lambda: monai.get_data(monai.read(folder))[0],
            "loop of pydicom": lambda: _pydicom(files),
        },
        {},
    )


def rows(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """The rows asked for, made one after another."""
    wanted = options.rows.split(",")
    made = phantom(tuple(map(int, options.shape.split("x")))) if {"nifti", "phantom"} & {*wanted} else None
    if "nifti" in wanted:
        yield nifti(made, folder)
    if "phantom" in wanted:
        shape = "×".join(map(str, made.array.shape))
        yield dicom(f"CT series {shape} (phantom)", list(write_dicom_series(made, folder / "series")))
    if "series" in wanted:
        for series in sorted((options.data / "dicom").glob("*/*/")):
            if (count := sum(1 for _ in series.glob("0*.dcm"))) in (22, 23, 24):
                yield dicom(f"{series.name}, {count} slices", sorted(series.glob("0*.dcm")))


def _simpleitk(files: list[Path]) -> np.ndarray:
    """Sorted by SimpleITK itself, as its examples do."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(files[0].parent)))
    return sitk.GetArrayViewFromImage(_kept(reader.Execute())).T


def _pydicom(files: list[Path]) -> np.ndarray:
    """What people write: sort by position, rescale, stack."""
    slices = sorted((dcmread(file) for file in files), key=_along)
    planes = [
        ds.pixel_array * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
        for ds in slices
    ]
    return np.stack(planes).T


def _along(ds: object) -> float:
    row, column = np.array(ds.ImageOrientationPatient, float).reshape(2, 3)
    return float(np.cross(row, column) @ np.array(ds.ImagePositionPatient, float))


def _kept(image: sitk.Image, kept: list[sitk.Image] = []) -> sitk.Image:  # noqa: B006 (a memory of one)
    """Keep an image as long as somebody may look at its voxels, instead of copying them."""
    kept[:] = [image]
    return image


def compare(row: Row) -> str:
    """Check that every reader gives medvision's voxels, in one direction of the slices or the other."""
    ours = row.readers["medvision"]()
    for name, read in row.readers.items():
        theirs = np.asarray(read())
        if theirs.shape != ours.shape:
            return f"{name} gives another shape, {theirs.shape}"
        if not any(np.array_equal(ours, turned) for turned in (theirs, theirs[..., ::-1])):
            return f"{name} gives other voxels"
    return "equal voxels"


def measure(row: Row, repeats: int) -> dict[str, float]:
    """Best seconds of each reader, in turns, so that a slow moment of the machine strikes all alike."""
    best: dict[str, float] = {}
    for _ in range(repeats):
        for name, read in (row.readers | row.bounds).items():
            begun = time.perf_counter()
            read()
            best[name] = min(best.get(name, np.inf), time.perf_counter() - begun)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of real scans")
    parser.add_argument("--rows", default="nifti,series,phantom")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--shape", default="x".join(map(str, SHAPE)), help="of the phantoms")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(options, Path(folder)):
            print(f"\n{row.name} · {compare(row)}")
            found = measure(row, options.repeats)
            for name, seconds in found.items():
                print(
                    f"  {name:30} {1000 * seconds:9.1f} ms   {seconds / found['medvision']:5.2f}", flush=True
                )


if __name__ == "__main__":
    main()
