"""What goes on beside the pages, by one worker of all: retention, the sweep, webhooks."""
