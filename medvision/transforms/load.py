"""LoadVolumed: medvision's reading of scans as an ordinary MONAI transform."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Unpack

import numpy as np
import torch
from monai.config import DtypeLike, KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import MetaKeys, SpaceKeys, ensure_tuple, ensure_tuple_rep

from medvision.errors import MedvisionError
from medvision.imaging.files import Source
from medvision.imaging.load import load_volume
from medvision.imaging.options import ReadingOptions, reading
from medvision.imaging.volume import Volume


class LoadVolumed(MapTransform):
    """Load the scans under some keys: NIfTI, NRRD, DICOM (file, folder, list of files), or a zip of one.

    Takes the place of MONAI's ``LoadImaged`` with ``ensure_channel_first=True``, and reads with
    :func:`medvision.imaging.load_volume`: slices in order of their positions, no gap averaged away,
    refusals that name files. On NIfTI both give equal voxels, affine and files that ``SaveImaged`` writes.

    Each path becomes a ``MetaTensor`` of shape (1, i, j, k), or (i, j, k); its ``affine`` maps indices
    to RAS+ mm. Its meta data hold what MONAI's transforms and writers use (``affine``,
    ``original_affine``, ``spatial_shape``, ``space``, ``original_channel_dim``, ``filename_or_obj``)
    and ``modality``, ``patient_id``, ``series_uid``.

    What differs from ``LoadImaged``:

    - ``ensure_channel_first`` is on unless it is turned off.
    - DICOM axes are (column, row, slice) with a RAS+ affine for every source; ``LoadImaged`` depends on
      the reader that it finds installed.
    - A scan of several volumes needs ``volume_index``; they do not become channels. Neither do several
      files under one key: they are the slices of one series.
    - Colour images and files without a place in space are refused.
    - The meta data do not hold the file's own header, so there are no ``simple_keys`` and no pruning.
    - There is one reader; naming another is an error.

    Args:
        keys: Keys of paths.
        reader: None; here so that arguments stand where ``LoadImaged`` has them.
        dtype: Type of the tensors.
        meta_keys: Where the meta data go when ``image_only`` is off, one for each key.
        meta_key_postfix: Makes that key where it is not given: ``image_meta_dict``.
        overwriting: Whether such a key may be there already.
        image_only: Leave the meta data in the ``MetaTensor`` alone.
        ensure_channel_first: Put a channel axis first.
        allow_missing_keys: Pass over keys that are not there.
        options: What to do where the files leave a choice, such as ``on_gap="fill"``; see
            :class:`medvision.imaging.Reading`.

    Raises:
        MedvisionError: A reader is named, or there are not as many ``meta_keys`` as keys.
        KeyError: When called: a meta key is there already.
        SeriesError: When called: the files are not one complete scan.
        GeometryError: When called: a file without a place in space.

    Example:
        >>> import tempfile
        >>> from medvision.imaging import save_nifti
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = save_nifti(f"{folder}/a.nii", np.ones((4, 3, 2), "i2"), np.diag([-2.0, 1, 1, 1]))
        ...     image = LoadVolumed("image")({"image": path})["image"]
        >>> tuple(image.shape), image.affine.diagonal().tolist()
        ((1, 4, 3, 2), [-2.0, 1.0, 1.0, 1.0])
    """

    def __init__(
        self,
        keys: KeysCollection,
        reader: None = None,
        dtype: DtypeLike = np.float32,
        meta_keys: KeysCollection | None = None,
        meta_key_postfix: str = "meta_dict",
        overwriting: bool = False,
        image_only: bool = True,
        ensure_channel_first: bool = True,
        *,
        allow_missing_keys: bool = False,
        **options: Unpack[ReadingOptions],
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if reader is not None:
            raise MedvisionError(f"LoadVolumed reads by itself; leave reader={reader!r} out")
        self.meta_keys = (
            ensure_tuple_rep(None, len(self.keys)) if meta_keys is None else ensure_tuple(meta_keys)
        )
        if len(self.meta_keys) != len(self.keys):
            raise MedvisionError(
                f"{len(self.meta_keys)} meta_keys for {len(self.keys)} keys; give one for each"
            )
        self.meta_key_postfix = meta_key_postfix
        self.overwriting = overwriting
        self.image_only = image_only
        self.dtype = np.dtype(dtype)
        self.ensure_channel_first = ensure_channel_first
        reading(options)  # a misspelt option is wrong now, not at the first case
        self.options = options

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace each path by its scan."""
        loaded = dict(data)
        for key, meta_key in self.key_iterator(loaded, self.meta_keys):
            volume = load_volume(loaded[key], **self.options)
            loaded[key] = self._tensor(volume, loaded[key])
            if not self.image_only:
                meta_key = meta_key or f"{key}_{self.meta_key_postfix}"
                if meta_key in loaded and not self.overwriting:
                    raise KeyError(f"{meta_key} is there already; pass overwriting=True to replace it")
                loaded[meta_key] = loaded[key].meta
        return loaded

    def _tensor(self, volume: Volume, source: Source) -> MetaTensor:
        # Always a copy in C order: the volume's own array is read-only, and collating wants no views.
        array = np.array(volume.array, dtype=self.dtype, order="C")
        tensor = torch.from_numpy(array[None] if self.ensure_channel_first else array)
        return MetaTensor(tensor, meta=_meta(volume, source, channel_first=self.ensure_channel_first))


def _meta(volume: Volume, source: Source, *, channel_first: bool) -> dict[str, Any]:
    """What MONAI expects of a loaded image, in plain values that can be collated."""
    affine = torch.tensor(volume.affine, dtype=torch.float64)
    return {
        MetaKeys.AFFINE: affine,
        MetaKeys.ORIGINAL_AFFINE: np.array(volume.affine),
        MetaKeys.SPATIAL_SHAPE: np.array(volume.shape),
        MetaKeys.SPACE: SpaceKeys.RAS,
        MetaKeys.ORIGINAL_CHANNEL_DIM: 0 if channel_first else float("nan"),
        "filename_or_obj": _name(volume, source),
        "modality": volume.modality,
        "patient_id": volume.provenance.patient_id,
        "series_uid": volume.provenance.series_uid,
    }


def _name(volume: Volume, source: Source) -> str:
    """The path that was given; for a list of files their folder, after which MONAI names outputs."""
    if isinstance(source, list | tuple):
        return str(volume.provenance.files[0].parent)
    return str(source)
