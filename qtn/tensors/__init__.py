"""Array algebra without physics."""
