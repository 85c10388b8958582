"""The worker of `muster work`: a client of the service that runs one command per unit."""
