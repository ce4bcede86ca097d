"""What it brought, and what can be known of it: figures with the honesty of an interval."""
