"""One page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path


def home(request: HttpRequest) -> HttpResponse:
    """The home page."""
    return render(request, "home.html", {"notice": request.page_view.notice})


urlpatterns = [path("", home)]
