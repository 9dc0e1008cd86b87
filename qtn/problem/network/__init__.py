"""The [network] table of a problem file: links and nodes of any graph, and the users that paths through it join."""
