"""How the documentation site is built: `make docs`. Nothing here, and nothing it makes, needs the net."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import medvision

project = "medvision"
author = "The medvision authors"
copyright = "The medvision authors, Apache-2.0"
release = medvision.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "code_links",
    "doi_links",
    "folder_links",
    "mathml",
    "notebook_pages",
    "plain_text",
    "public_names",
]

# The sources are the whole repository, so that README, CHANGELOG and notebooks are pages as they stand, and a
# link that works in the repository works in the site. A page that stands in no table of contents is an error.
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "notebooks/*",
    "experiments/*/README.md",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
]
exclude_patterns = [
    ".*", "**/.*", "benchmarks", "build", "dist", "docs/_*", "experiments/*/data", "experiments/*/runs",
    "medvision", "runs", "tests",
]  # fmt: skip

myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]

# A word in single backticks is code in our docstrings, as it is in Markdown.
default_role = "literal"
autodoc_default_options = {"members": True, "member-order": "bysource", "exclude-members": "model_config"}
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_display_short_literal_types = True
python_maximum_signature_line_length = 88

# Written as they stand, not as the unions that they are.
autodoc_type_aliases = {
    "ArrayLike": "ArrayLike",
    "Floats": "NDArray[float64]",
    "nn.Module": "torch.nn.Module",
    "pd.DataFrame": "pandas.DataFrame",
    "torch.nn.Module": "torch.nn.Module",
}

# Every reference must resolve, but for types that no page of this site describes.
nitpick_ignore_regex = [
    # What a check hands on to a run, and nobody else.
    ("py:class", r"medvision\.workflows\.opened\.OpenedStudy"),
    # Other packages: to resolve their names, their inventories would have to be fetched.
    ("py:class", r"(collections|matplotlib|np|npt|numpy|os|pandas|pathlib|pd|pydantic|torch|typing)\..+"),
    # Their names without the package, and our aliases of unions: one capitalised word.
    ("py:class", r"[A-Z]\w*"),
    ("py:class", r"float64|Annotated\[.*"),
    # The values of a Literal, which Sphinx takes for classes; "1,k" in two halves.
    ("py:class", r"'.*|.*'"),
]

html_theme = "furo"
html_title = f"medvision {release}"
html_static_path = ["_static"]
html_extra_path = ["_extra"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": False}
