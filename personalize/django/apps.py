"""What Django asks of an app."""

from django.apps import AppConfig


class PersonalizeConfig(AppConfig):
    """Its label is not that of the package's last part, since Django's own name says nothing of what it is."""

    name = "personalize.django"
    label = "personalize"
