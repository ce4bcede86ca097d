"""The Django app: `"personalize.django"` in INSTALLED_APPS gives templates the slot tag."""
