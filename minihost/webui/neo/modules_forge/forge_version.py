"""By this it is told from Forge."""

version, release = "neo", "2.26"
