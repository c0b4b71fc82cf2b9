"""Starts the application: `python app.py [COMMAND]`. Everything is in app/."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
