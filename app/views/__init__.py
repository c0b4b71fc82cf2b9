"""Pages. Gradio lives here and in app/guarded.py, and nowhere else."""
