"""Generated questions with checkable answers: what the adapter learns and is tested on."""
