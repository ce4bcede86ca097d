"""What owns time: the facade, the page view, the queue, publishing."""
