"""One Django for all tests in this process, since it can be set up only once.

Nothing is kept anywhere: sessions stand in signed cookies, and users are made up.
"""

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="a test's",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="tests.django.site",
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        AUTHENTICATION_BACKENDS=["tests.django.site.MadeUpUsers"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "personalize.django"],
        MIDDLEWARE=[
            "personalize.django.middleware.PageViewMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    )
    django.setup()
