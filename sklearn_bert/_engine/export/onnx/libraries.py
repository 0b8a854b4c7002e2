"""The optional libraries that write and run ONNX files."""

from importlib import import_module
from typing import Any

_NEEDED = ("onnx", "onnxruntime")


def import_onnx() -> tuple[Any, Any]:
    """Return the modules onnx and onnxruntime.

    Raises
    ------
    ImportError
        If one of them is not installed.
    """
    try:
        onnx, onnxruntime = map(import_module, _NEEDED)
    except ImportError as error:
        raise ImportError(
            "export_onnx needs the packages onnx and onnxruntime. One of them cannot "
            f"be imported: {error}. Install them with: pip install {' '.join(_NEEDED)}"
        ) from error
    return onnx, onnxruntime
