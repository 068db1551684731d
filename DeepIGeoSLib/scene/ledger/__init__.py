"""What every segment remembers of its rounds, kept in the scene and in saved files."""
