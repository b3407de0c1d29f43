"""Empty in SD.Next: everything is in generation_parameters_copypaste."""
