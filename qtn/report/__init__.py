"""One self-contained HTML page: figures as SVG, and the numbers beside them."""
