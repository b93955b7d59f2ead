from __future__ import annotations

import numpy as np
from pydicom import dcmread

from medvision.testing import thorax_phantom, write_dicom_series, write_rtstruct


def test_the_file_refers_to_the_series_and_is_the_same_every_time(tmp_path):
    files = write_dicom_series(thorax_phantom(1, shape=(48, 40, 16), lesions=1), tmp_path / "ct")
    triangle = np.array([[1.5, -2, 3], [4, 5, 3], [7, -8, 3]])
    paths = [write_rtstruct(tmp_path / name, files, {"GTV": [triangle], "none": []}) for name in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    dataset, image = dcmread(paths[0]), dcmread(files[0])
    series = dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    assert series.RTReferencedSeriesSequence[0].SeriesInstanceUID == image.SeriesInstanceUID
    assert [roi.ROIName for roi in dataset.StructureSetROISequence] == ["GTV", "none"]
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    assert contour.ContourData == [-1.5, 2, 3, -4, -5, 3, -7, 8, 3]  # LPS
    assert dataset.FrameOfReferenceUID == image.FrameOfReferenceUID
