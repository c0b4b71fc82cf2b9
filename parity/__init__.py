"""The reference implementation's own files: its checkpoints taken over, its goldens compared."""
