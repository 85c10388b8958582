"""How each thing looks: the columns of its list and the lines of its sheet."""
