"""What a network is made of: memories, gates, nodes, fibres and detectors."""
