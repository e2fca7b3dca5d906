"""In which precision weights were published."""

import pytest

from data.catalog.hf_precision import precision_row
from data.errors import UserError

INT4 = {"weights": {"num_bits": 4, "type": "int"}}
FP8 = {"weights": {"num_bits": 8, "type": "float"}}


@pytest.mark.parametrize(
    ("found", "precision", "part"),
    [
        (None, "bf16", None),
        ({"quant_method": "fp8"}, "fp8", None),
        ({"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]}, "fp4", "experts"),
        ({"quant_method": "awq", "bits": 4}, "int4", None),
        ({"quant_method": "gptq", "bits": 8}, "int8", None),
        ({"quant_method": "compressed-tensors", "config_groups": {"group_0": FP8}}, "fp8", None),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": INT4},
                "ignore": ["re:.*self_attn.*", "lm_head"],
            },
            "int4",
            "experts",
        ),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "fp4", None),
    ],
)
def test_each_method_has_its_precision(found, precision, part):
    row = precision_row({"quantization_config": found}, "f")

    assert (row["native_precision"], row.get("native_part")) == (precision, part)


@pytest.mark.parametrize(
    "found",
    [{"quant_method": "gptq", "bits": 3}, {"quant_method": "compressed-tensors"}, {"quant_method": "aqlm"}, {}],
)
def test_an_unknown_method_is_refused(found):
    with pytest.raises(UserError, match="is not one that we know"):
        precision_row({"quantization_config": found}, "f")
