"""What pages show, as plain values and escaped HTML. Pure: no Gradio, clock or services."""
