"""Somebody's config.json or bert_config.json -> BertConfig, with every key accounted for.

The same word means two things: `hidden_act: gelu` is the error function in Hugging Face's code and the tanh
approximation in Google's. A configuration is Hugging Face's if it says `model_type`, `architectures` or
`transformers_version`, or if the file is called config.json; else it is Google's, as those of this project are.

A key is one that is computed (the fields of BertConfig), one that changes no number here (HARMLESS), one that may have
but one value (FIXED), or unknown; unknown ones are refused, since nobody can say what they do.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bert.checkpoints.choice import AGAIN
from bert.model.config import Activation, BertConfig
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json
from bert.pipeline.misfits import misfits

HUGGING_FACE_KEYS = ("model_type", "architectures", "transformers_version", "_name_or_path", "torch_dtype")
GOOGLE: Mapping[str, Activation] = {"gelu": "gelu", "gelu_erf": "gelu_erf", "relu": "relu"}
"""`hidden_act` of Google's files, and of this project's own, which has one value more."""
HUGGING_FACE: Mapping[str, Activation] = {
    "gelu": "gelu_erf",
    "gelu_python": "gelu_erf",
    "gelu_new": "gelu",
    "gelu_fast": "gelu",
    "gelu_accurate": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "relu": "relu",
}
"""transformers, activations.py: three ways to write the tanh approximation, two for the error function."""

FIXED: Mapping[str, tuple[Any, ...]] = {
    # transformers, configuration_bert.py and the base class.
    "model_type": ("bert",),
    "position_embedding_type": ("absolute", None),
    "is_decoder": (False, None),
    "is_encoder_decoder": (False, None),
    "add_cross_attention": (False, None),
    "cross_attention_hidden_size": (None,),
    "tie_word_embeddings": (True, None),
    "tie_encoder_decoder": (False, None),
    "pruned_heads": ({}, None),
    "quantization_config": (None,),
    "auto_map": (None,),
    "tokenizer_class": ("BertTokenizer", "BertTokenizerFast", None),
    # ALBERT's and ELECTRA's, whose files otherwise look alike.
    "num_hidden_groups": (1, None),
    "inner_group_num": (1, None),
    "net_structure_type": (0, None),
    "gap_size": (0, None),
    "down_scale_factor": (1, None),
    # Google's, of its multilingual models.
    "directionality": ("bidi", None),
    "pooler_type": ("first_token_transform", None),
    # Others' ways of writing what every BERT has.
    "hidden_activation": (None,),
    "embedding_size": (None,),
}
HARMLESS = frozenset(
    # About files, labels, heads and classes.
    "architectures transformers_version _name_or_path name_or_path _commit_hash torch_dtype dtype use_bfloat16 "
    "id2label label2id _num_labels num_labels problem_type finetuning_task task_specific_params classifier_dropout "
    "summary_activation summary_first_dropout summary_last_dropout summary_proj_to_labels summary_type "
    "summary_use_proj "
    # About what a call returns, and how it is computed without a change of the numbers.
    "output_attentions output_hidden_states output_past output_scores return_dict return_dict_in_generate "
    "use_return_dict use_cache torchscript gradient_checkpointing chunk_size_feed_forward tf_legacy_loss "
    "attn_implementation _attn_implementation _attn_implementation_autoset "
    # About generation.
    "bos_token_id eos_token_id sep_token_id cls_token_id mask_token_id decoder_start_token_id max_length min_length "
    "do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p typical_p "
    "repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids "
    "num_return_sequences forced_bos_token_id forced_eos_token_id remove_invalid_values prefix suppress_tokens "
    "begin_suppress_tokens exponential_decay_length_penalty renormalize_logits xla_device "
    # Google's multilingual models: of a pooler that their code does not have.
    "pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head".split()
)


def is_hugging_face(path: Path, values: Mapping[str, Any]) -> bool:
    """Whose words the file speaks, see above."""
    return path.name == "config.json" or any(key in values for key in HUGGING_FACE_KEYS)


def _equals(value: Any, known: Any) -> bool:
    """As JSON has it: false is not 0."""
    return json.dumps(value) == json.dumps(known)


def read_configuration(path: Path, ignored: Collection[str] = ()) -> BertConfig:
    """The model that the file describes.

    Args:
        ignored: keys that are not looked at (import_checkpoint.ignore).

    Raises:
        StageError: no configuration of a BERT, or of one that this code does not compute; names each key.
    """
    values = read_json(path, AGAIN)
    if not isinstance(values, dict):
        raise StageError(f"{path}: not the configuration of a BERT: expected a JSON object", run=AGAIN)
    own = {key: value for key, value in values.items() if key in BertConfig.model_fields}
    others = {key: value for key, value in values.items() if key not in own and key not in ignored}
    theirs = is_hugging_face(path, values)
    faults = _faults(others, own, theirs)
    names = HUGGING_FACE if theirs else GOOGLE
    activation = own.get("hidden_act")
    if isinstance(activation, str) and activation in names:
        own["hidden_act"] = names[activation]
    elif "hidden_act" in own:
        faults.append(f"hidden_act is {json.dumps(activation)}, computed are {', '.join(names)}")
    if faults:
        raise StageError(
            f"{path}: not the configuration of a BERT that this code computes: {'; '.join(faults)}", run=AGAIN
        )
    unknown = sorted(others.keys() - FIXED.keys() - HARMLESS - {"pad_token_id"})
    if unknown:
        raise StageError(
            f"{path}: this code does not know {', '.join(unknown)}, and what it does to the numbers",
            run=f"if they do nothing, set import_checkpoint.ignore to [{', '.join(unknown)}] in params.yaml, then dvc "
            "repro import_checkpoint",
        )
    try:
        return BertConfig(**own)
    except ValidationError as error:
        said = "; ".join(misfit.named() for misfit in misfits(error))
        raise StageError(f"{path}: not the configuration of a BERT: {said}", run=AGAIN) from None


def _faults(others: Mapping[str, Any], own: Mapping[str, Any], theirs: bool) -> list[str]:
    """Each key whose value would change what is computed."""
    hidden = own.get("hidden_size")
    faults = []
    for key, value in others.items():
        known = FIXED.get(key)
        if key == "embedding_size" and hidden is not None:
            known = (hidden, None)
        if known is not None and not any(_equals(value, one) for one in known):
            shown = " or ".join(json.dumps(one) for one in known if one is not None) or "nothing"
            faults.append(f"{key} is {json.dumps(value)}, expected {shown}")
    # A folder of 2019 says by its architectures alone what it is.
    named = others.get("architectures") or () if theirs and "model_type" not in others else ()
    if not all(str(name).removeprefix("TF").removeprefix("Flax").startswith("Bert") for name in named):
        faults.append(f"architectures is {json.dumps(named)}, expected names that begin with Bert")
    if own.get("type_vocab_size") == 1:
        faults.append("type_vocab_size is 1, expected 2: a pair's second sentence has a type of its own")
    return faults


def check_padding(path: Path, padding: int) -> None:
    """Raises StageError where the configuration has another `pad_token_id` than the vocabulary's [PAD], `padding`."""
    said = read_json(path, AGAIN).get("pad_token_id", padding)
    if said not in (padding, None):
        raise StageError(f"{path}: pad_token_id is {said}, but [PAD] is piece {padding} of the vocabulary", run=AGAIN)


def architectures(path: Path) -> tuple[str, ...]:
    """The classes of transformers that the configuration names: which head its weights have. Google's name none."""
    return tuple(str(name) for name in read_json(path, AGAIN).get("architectures") or ())
