"""The command line: words in, text and an exit code out. Thin: what a command does is in `sync/jobs/`."""
