"""The Writer: the one way to change anything."""

from service.writer.batch import within
from service.writer.writer import Observer, Writer

__all__ = ["Observer", "Writer", "within"]
