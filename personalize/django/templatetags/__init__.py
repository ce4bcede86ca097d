"""Where Django looks for the tags of an app."""
