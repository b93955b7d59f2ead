"""Convert a scan of any format that is read to NIfTI, or refuse it with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

import numpy as np

from medvision.errors import GeometryError, MedvisionError
from medvision.imaging.archive import opened
from medvision.imaging.files import Source
from medvision.imaging.gradients import b_values, b_vectors, fsl_vectors
from medvision.imaging.load import load_volume, load_volumes
from medvision.imaging.nifti_writing import save_nifti
from medvision.imaging.options import ReadingOptions
from medvision.imaging.volume import Volume
from medvision.runs import atomic_write, write_error
from medvision.workflows.sidecar import describe


def convert(
    series: Source,
    out: str | Path,
    *,
    sidecar: bool = False,
    overwrite: bool = False,
    show_patient: bool = False,
    every_volume: bool = False,
    **options: Unpack[ReadingOptions],
) -> Path:
    """Write a scan as NIfTI: rescaled values, sform and qform in RAS+ mm, equal bytes on every day.

    Args:
        series: A folder with one series, a file (DICOM, NIfTI, NRRD, MetaImage), a zip of these, or the
            files of a series; see ``load_volume``.
        out: The ``.nii`` or ``.nii.gz`` to write.
        sidecar: Also write ``.json`` beside it, with BIDS' names and units: grid and acquisition; no name,
            no date, no identifier.
        overwrite: Replace files that are there.
        show_patient: Let the sidecar also hold PatientID and the UIDs of study and series.
        every_volume: Write all volumes of the scan, (i, j, k, t), in the order of what tells them apart; of a
            diffusion series with ``.bval`` and ``.bvec`` beside it, as FSL reads them.
        options: What to do where the files leave a choice, such as ``on_gap="fill"``; see
            :class:`medvision.imaging.Reading`.

    Returns:
        The NIfTI's path.

    Raises:
        MedvisionError: A file is there already, cannot be written, or ``out`` is not named as NIfTI.
        SeriesError: The files are not one complete scan.
        GeometryError: The volumes do not share one grid.

    Example:
        >>> import tempfile, numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scan = save_nifti(f"{folder}/a.nii", np.zeros((2, 2, 2), "i2"), np.eye(4))
        ...     convert(scan, f"{folder}/b.nii.gz").name
        'b.nii.gz'
    """
    out = Path(out)
    suffixes = ["json"] * sidecar + ["bval", "bvec"] * every_volume
    refuse_present([out, *(beside(out, suffix) for suffix in suffixes)], overwrite=overwrite)
    with opened(series) as inside:
        volumes = load_volumes(inside, **options) if every_volume else (load_volume(inside, **options),)
        described = describe(volumes[0], show_patient=show_patient) if sidecar else {}
    _check_one_grid(out, volumes)
    array = volumes[0].array if len(volumes) == 1 else np.stack([one.array for one in volumes], axis=-1)
    with write_errors(out):
        save_nifti(out, array, volumes[0].geometry)
    if sidecar:
        atomic_write(beside(out, "json"), json.dumps(described, indent=2, ensure_ascii=False) + "\n")
    if every_volume:
        _write_gradients(out, volumes)
    return out


def refuse_present(paths: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse to replace files that are there, unless told to.

    Raises:
        MedvisionError: Names them.
    """
    present = [str(path) for path in paths if path.exists()]
    if present and not overwrite:
        raise MedvisionError(f"{' and '.join(present)} is there already; pass overwrite to replace it")


@contextmanager
def write_errors(out: Path) -> Iterator[None]:
    """Say in one sentence why a file cannot be written.

    Raises:
        RunError: The disk is full, or the folder cannot be made or written.
    """
    try:
        yield
    except OSError as error:
        raise write_error(out, error) from error


def beside(out: Path, suffix: str) -> Path:
    """The file of the same name with another suffix, such as a NIfTI's sidecar."""
    name = out.name.removesuffix(".gz").removesuffix(".nii")
    return out.with_name(f"{name}.{suffix}")


def _check_one_grid(out: Path, volumes: Sequence[Volume]) -> None:
    others = [one.geometry for one in volumes[1:] if not one.geometry.is_close(volumes[0].geometry)]
    if others:
        raise GeometryError(
            f"{out}: {len(others) + 1} of {len(volumes)} volumes lie on grids of their own, such as "
            f"{volumes[0].geometry} and {others[0]}; write them one by one with volume_index="
        )


def _write_gradients(out: Path, volumes: Sequence[Volume]) -> None:
    """b-values and directions of a diffusion series, one column a volume; those of an older scan go."""
    weights, vectors = b_values(volumes), b_vectors(volumes)
    for suffix in ("bval", "bvec"):
        beside(out, suffix).unlink(missing_ok=True)
    if len(volumes) == 1 or weights is None:
        return
    atomic_write(beside(out, "bval"), " ".join(f"{b:g}" for b in weights) + "\n")
    if vectors is not None:
        rows = fsl_vectors(vectors, volumes[0].affine).T
        text = "".join(" ".join(f"{x:.6g}" for x in row) + "\n" for row in rows)
        atomic_write(beside(out, "bvec"), text)
