"""Use cases. They order the steps; they know ports and policies, never Gradio, SQLAlchemy or torch."""
