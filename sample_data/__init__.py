"""A made-up coworking academy: the sandbox's seed and small real sheets, all written by `make.py`."""
