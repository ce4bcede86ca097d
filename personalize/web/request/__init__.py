"""What one request asks for and tells of itself."""
