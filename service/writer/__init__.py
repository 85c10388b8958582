"""The Writer: the one way to change anything."""

from service.writer.batch import within
from service.writer.writer import Writer, WriterObserver

__all__ = ["Writer", "WriterObserver", "within"]
