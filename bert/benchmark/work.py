"""What one sequence of a cell costs, in operations."""

from __future__ import annotations

from bert.benchmark.flops import encoder, pretraining_heads, span_head, training
from bert.benchmark.rows import VOCAB_SIZE, predictions_of
from bert.benchmark.settings import Cell, Task, TrainingCell
from bert.model.config import BertConfig


def forward_operations(task: Task, config: BertConfig, sequence_length: int) -> int:
    """Of the forward pass for one sequence."""
    body = encoder(
        sequence_length=sequence_length,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_layers=config.num_hidden_layers,
    )
    if task == "squad":
        return body + span_head(sequence_length=sequence_length, hidden_size=config.hidden_size)
    return body + pretraining_heads(
        hidden_size=config.hidden_size,
        vocab_size=config.vocab_size,
        num_predictions=predictions_of(sequence_length),
    )


def operations(cell: Cell) -> int:
    """Of one sequence of a cell: of a training cell forward and backward, of the other question answering's forward."""
    config = BertConfig.named(cell.model, VOCAB_SIZE)
    if isinstance(cell, TrainingCell):
        return training(forward_operations(cell.task, config, cell.sequence_length))
    return forward_operations("squad", config, cell.sequence_length)
