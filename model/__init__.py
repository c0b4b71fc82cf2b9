"""L2D: a small diffusion path on a frozen LM (arXiv 2501.15781). A library, not a feature."""
