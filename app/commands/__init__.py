"""What the commands of app.cli do. Results go to standard output, progress to standard error."""
