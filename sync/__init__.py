"""coursesync: bulk edits of Nexudus course sections, driven by a spreadsheet."""

__version__ = "0.1.0"
