"""The precision in which a config.json says that its weights were published."""

from data.catalog.hf_keys import Config
from data.catalog.rows import Row
from data.errors import UserError

_METHODS = {"fp8": "fp8", "fbgemm_fp8": "fp8", "mxfp4": "fp4"}
_BY_BITS = {4: "int4", 8: "int8"}


def precision_row(config: Config, where: str) -> Row:
    """Return native_precision and native_part. Weights published in 16 or 32 bits are served in bf16."""
    found = config.get("quantization_config")
    if not isinstance(found, dict):
        return {"native_precision": "bf16"}
    method = str(found.get("quant_method", found.get("quant_algo", ""))).lower()
    precision = _METHODS.get(method) or _named(method, found)
    if precision is None:
        raise UserError(
            f"{where}: `quantization_config.quant_method` {method!r} is not one that we know; known are fp8,"
            " mxfp4, awq, gptq, compressed-tensors and modelopt. Write the row by hand (docs/catalog.md, Models)."
        )
    return {
        "native_precision": precision,
        **({"native_part": "experts"} if _spares_attention(found, method) else {}),
    }


def _named(method: str, found: Config) -> str | None:
    if method in ("awq", "gptq"):
        bits = found.get("bits", found.get("w_bit", 4))
        return _BY_BITS.get(bits) if isinstance(bits, int) else None
    if method == "compressed-tensors":
        return _compressed(found)
    if method == "modelopt":
        algorithm = str(found.get("quant_algo", "")).upper()
        return "fp4" if "FP4" in algorithm else "fp8" if "FP8" in algorithm else None
    return None


def _compressed(found: Config) -> str | None:
    """Precision of the weights of compressed-tensors' first group: bits, and whether they are floats."""
    groups = found.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = first.get("weights") if isinstance(first, dict) else None
    if not isinstance(weights, dict):
        return None
    floats = weights.get("type") == "float"
    return {(4, False): "int4", (8, False): "int8", (8, True): "fp8", (4, True): "fp4"}.get(
        (weights.get("num_bits"), floats)  # type: ignore[arg-type]  # whatever the file says; unknown gives None
    )


def _spares_attention(found: Config, method: str) -> bool:
    """Whether attention keeps its 16 bits, so that the experts alone have the precision."""
    left_out = [*(found.get("ignore") or []), *(found.get("modules_to_not_convert") or [])]
    return method in ("mxfp4", "compressed-tensors") and any("self_attn" in str(each) for each in left_out)
