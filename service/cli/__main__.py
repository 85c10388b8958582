"""`python -m service.cli`: how a replica is started without knowing where the script lies."""

from service.cli import main

main()
