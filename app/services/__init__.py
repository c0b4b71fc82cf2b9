"""Use cases. They order the steps; know ports and policies, never Gradio, SQLAlchemy or torch."""
