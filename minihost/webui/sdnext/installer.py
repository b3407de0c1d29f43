"""The top-level module that SD.Next was started by, as far as its other modules ask it."""

control_extensions = ["NudeNet", "IP Adapters", "Remove background"]
