"""What reads headers in several threads has its libraries before the first of them starts."""

from __future__ import annotations

import subprocess
import sys


def test_libraries_are_loaded_before_threads_can_start() -> None:
    """Two threads that import pydicom (or NiBabel) at once may each see half of it, and raise ImportError."""
    code = (
        "import sys; from medvision.imaging import inspect; print('pydicom.charset' in sys.modules, "
        "'nibabel.nifti1' in sys.modules, 'pydicom.pixels.decoders' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
