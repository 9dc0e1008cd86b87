"""The [chain] table of a problem file: links and nodes, each with the function that builds it."""
