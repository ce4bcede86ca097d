"""What can be shown? Content items, their collections, their files and their markup."""
