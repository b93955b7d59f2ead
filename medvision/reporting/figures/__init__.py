"""The figures of the paper, as SVG, PDF and PNG."""
