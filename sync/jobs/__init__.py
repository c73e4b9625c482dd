"""What a command does, from its words to its report: called by the command line and by the page alike."""
