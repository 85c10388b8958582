"""The embedded Postgres of `muster up`: one cluster in one data folder, run by one process."""

from service.embedded.folder import FolderInUse, attached, exclusive_folder, running, served

__all__ = ["FolderInUse", "attached", "exclusive_folder", "running", "served"]
