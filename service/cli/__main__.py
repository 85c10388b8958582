"""`python -m service.cli`: starts Muster where the path of the `muster` script is unknown."""

from service.cli import main

main()
