"""Elementary links, one heralding scheme a file, and the chain that lines them up."""
