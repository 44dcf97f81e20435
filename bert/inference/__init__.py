"""The forward pass of a trained model, made ready for many calls."""
