"""How values look on a page: formats, event sentences, terminal colours, plots."""
