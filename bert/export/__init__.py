"""Fine-tuned models as SavedModels: strings in, answers or labels out, with the tokenizer in the graph."""
