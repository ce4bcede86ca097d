"""The slot tag, and the template engines that can be taught it."""
