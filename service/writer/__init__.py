"""The Writer: the one way to change anything."""

from service.writer.writer import Observer, Writer

__all__ = ["Observer", "Writer"]
