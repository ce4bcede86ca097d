"""What `django-admin startproject` makes, as far as a page needs it."""
