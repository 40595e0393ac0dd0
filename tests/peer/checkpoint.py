"""Reads rlt's safetensors files with json, struct and numpy alone, and fills the peer's modules from them.

rlt stores weights as (in, out), torch as (out, in); a few names differ. Everything else is the same.
"""
import json
import pathlib
import struct

import numpy
import torch
from torch import nn

import cells

DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "U8": "u1"}

# Names of nn.LayerNorm's and nn.LSTM's own parameters in rlt; biases of nn.LSTM come twice there too.
NORM = {"weight": "gain", "bias": "bias"}
LSTM = {"weight_ih_l0": "input", "weight_hh_l0": "recurrent", "bias_ih_l0": "bias_input",
        "bias_hh_l0": "bias_recurrent"}


def read(path):
    """(metadata, {name: array}) of a file."""
    data = pathlib.Path(path).read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    body = data[8 + size:]
    return metadata, {
        name: numpy.frombuffer(body[slice(*entry["data_offsets"])],
                               DTYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()}


def part(tensors, prefix):
    """Those of one kind, under their names without the prefix: "model.", "gradient."."""
    return {name[len(prefix):]: array for name, array in tensors.items() if name.startswith(prefix)}


def layout(model):
    """rlt's name -> (the peer's parameter, whether rlt stores its transpose)."""
    table = {}
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            place = path
            if isinstance(module, nn.LayerNorm):
                name = NORM[name]
            elif isinstance(module, nn.LSTM):
                place, name = path.removesuffix(".lstm"), LSTM[name]
            transposed = isinstance(module, (nn.Linear, nn.LSTM)) and parameter.ndim == 2
            table[f"{place}.{name}"] = (parameter, transposed)
    return table


def load(model, tensors):
    """Fills the model; every parameter must be there, in its shape, and nothing else."""
    table = layout(model)
    if table.keys() != tensors.keys():
        raise ValueError(f"parameters of one side only: {sorted(table.keys() ^ tensors.keys())}")
    with torch.no_grad():
        for name, (parameter, transposed) in table.items():
            value = torch.tensor(tensors[name])
            value = value.T if transposed else value
            if value.shape != parameter.shape:
                raise ValueError(f"{name}: shape {value.shape}, expected {parameter.shape}")
            parameter.copy_(value)


def values(model):
    """{rlt's name: array} of the parameters, in rlt's layout."""
    return _arrays(model, lambda parameter: parameter)


def gradients(model):
    """The same for their gradients."""
    return _arrays(model, lambda parameter: parameter.grad)


def _arrays(model, choose):
    return {name: (choose(parameter).T if transposed else choose(parameter)).detach().numpy()
            for name, (parameter, transposed) in layout(model).items()}


def open_model(path):
    """The peer, in double, of a model that `rlt train` or `rlt gradcheck --export` wrote."""
    metadata, tensors = read(path)
    options = dict(item.split("=") for item in metadata.get("cell-option", "").split(",") if item)
    unknown = options.keys() - cells.sizes(metadata["cell"]).keys()
    if metadata.get("positions", "none") != "none" or unknown:
        raise ValueError(f"{path}: the peer knows neither positions nor these options: {unknown}")
    weights = part(tensors, "model.")
    model = cells.build(metadata["cell"], vocabulary_in=len(weights["embedding.weight"]),
                        vocabulary_out=len(weights["head.bias"]),
                        **{key: int(metadata[name]) for key, name in [
                            ("d_model", "d-model"), ("layers", "layers"), ("heads", "heads"),
                            ("ff", "ff")]},
                        **{name: int(value) for name, value in options.items()}).double()
    load(model, weights)
    return model
