"""What goes in and out in bulk: imports, exports, moves to another store, backups."""
