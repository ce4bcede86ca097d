"""What do we know? The profile and how events become one."""
