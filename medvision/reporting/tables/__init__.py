"""The tables of the paper, as CSV, Markdown, LaTeX and HTML."""
