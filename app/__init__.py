"""The application: settings, services, pages, commands. `app.py` beside this folder starts it."""
