"""The application: settings, services, pages, commands. `app.py` beside this folder only starts it."""
