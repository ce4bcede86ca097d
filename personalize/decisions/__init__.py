"""What is shown? The one function that decides, and all that it may see."""
