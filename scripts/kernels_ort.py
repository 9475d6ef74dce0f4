#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Results of the engine `own` next to those of ONNX Runtime; started by onnxruntime.sh.

    kernels_ort.py MODEL FOLDER BATCH LIBRARY      of what rf_kernels --dump wrote into FOLDER

The model of the catalogue is built in PyTorch with the dump's parameters and rows
(kernels_torch.py), exported to FOLDER/model.onnx, its bags as PyTorch exports nn.EmbeddingBag, and
run on the dump's inputs by the C functions of LIBRARY. One line of CSV: model, version, outputs of
an item, largest absolute and relative difference, the largest as a part of what it may be, least and
largest output. Exit status 1: they differ by more than they may, 3: ONNX Runtime says no.

What they may differ: both compute in fp32 and add in different orders. A sum of K numbers of order
one is off by about sqrt(K) roundings of 2^-24, and what a model's layers add up to so is their sum
(a recurrent layer forgets, and counts once): from 45 roundings of din-repo to 156 of rmc3-repo. All
these models end with a sigmoid, which passes y (1 - y) of that. The sigmoid itself is computed to an
absolute precision: that of ONNX Runtime alone is off by up to 1.4e-7 (versions 1.11 to 1.27, between
-9 and 9), also where y is 1e-4, so that a relative difference says little there. For both sides it
is 4 roundings, 2.4e-7.
"""

import ctypes
import os
import re
import sys
import warnings

import numpy
import torch

import kernels_torch

ROUNDING = 2 ** -24
SIGMOID = 4 * ROUNDING
API, OPSET = 11, 13
TYPES = {"float32": 1, "int64": 7}
WARNINGS_AND_WORSE = 3


class Base(ctypes.Structure):
    _fields_ = [("table", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)),
                ("version", ctypes.CFUNCTYPE(ctypes.c_char_p))]


class Runtime:
    """The library's functions, by the places that native/onnxruntime.h knows."""

    def __init__(self, path):
        header = os.path.join(os.path.dirname(__file__), "..", "src", "native", "onnxruntime.h")
        with open(header, encoding="utf-8") as file:
            self.places = {name: int(place) for place, name in re.findall(r"X\((\d+), [^,]+, (\w+),", file.read())}
        try:
            library = ctypes.CDLL(path)
            library.OrtGetApiBase.restype = ctypes.POINTER(Base)
        except (OSError, AttributeError) as e:
            refuse(f"expected ONNX Runtime: {e}")
        base = library.OrtGetApiBase().contents
        self.version = base.version().decode()
        table = base.table(API)
        if not table:
            refuse(f"ONNX Runtime {self.version} is older than 1.{API}")
        self.table = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))

    def call(self, name, *arguments):
        status = ctypes.CFUNCTYPE(ctypes.c_void_p)(self.table[self.places[name]])(*arguments)
        if status:
            message = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)(self.table[self.places["GetErrorMessage"]])
            refuse(f"ONNX Runtime {self.version}: {name}: {message(status).decode()}")

    def made(self, name, *arguments):
        """The object that a function gives by its last argument."""
        to = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(to))
        return to

    def run(self, path, inputs, shape):
        """The output `y` of a file, of arrays by name."""
        env = self.made("CreateEnv", ctypes.c_int(WARNINGS_AND_WORSE), b"compare")
        options = self.made("CreateSessionOptions")
        self.call("SetIntraOpNumThreads", options, ctypes.c_int(1))
        session = self.made("CreateSession", env, path.encode(), options)
        memory = self.made("CreateCpuMemoryInfo", ctypes.c_int(0), ctypes.c_int(0))
        values = (ctypes.c_void_p * len(inputs))()
        for i, array in enumerate(inputs.values()):
            values[i] = self.made("CreateTensorWithDataAsOrtValue", memory, ctypes.c_void_p(array.ctypes.data),
                                  ctypes.c_size_t(array.nbytes), (ctypes.c_int64 * array.ndim)(*array.shape),
                                  ctypes.c_size_t(array.ndim), ctypes.c_int(TYPES[str(array.dtype)])).value
        names = (ctypes.c_char_p * len(inputs))(*[name.encode() for name in inputs])
        output = self.made("Run", session, None, names, values, ctypes.c_size_t(len(inputs)),
                           (ctypes.c_char_p * 1)(b"y"), ctypes.c_size_t(1))
        info = self.made("GetTensorTypeAndShape", output)
        n = ctypes.c_size_t()
        self.call("GetTensorShapeElementCount", info, ctypes.byref(n))
        if n.value != shape[0] * shape[1]:
            refuse(f"expected {shape[0]} x {shape[1]} outputs, got {n.value}")
        at = self.made("GetTensorMutableData", output)
        return numpy.ctypeslib.as_array(ctypes.cast(at, ctypes.POINTER(ctypes.c_float)), shape).copy()


def refuse(text):
    print("kernels_ort.py:", text, file=sys.stderr, flush=True)
    os._exit(3)


class Exported(torch.nn.Module):
    """The model with one tensor an input; offsets are fixed, as all bags of a table are equally full."""

    def __init__(self, model, offsets, batch):
        super().__init__()
        self.model, self.offsets, self.batch = model, offsets, batch
        model.tables = torch.nn.ParameterList([torch.nn.Parameter(t, False) for t in model.tables])
        # The same function by the name under which the exporter knows it.
        model.bag = lambda table, indices, offsets: torch.nn.functional.embedding_bag(
            indices, model.tables[table], offsets, mode="sum")

    def forward(self, *inputs):
        features, indices = (inputs[0], inputs[1:]) if self.model.features else (None, inputs)
        return self.model(features, list(indices), self.offsets, self.batch)


def export(model, inputs, path):
    """The arrays by name, of the file that it writes."""
    features, indices, offsets, batch = inputs
    tensors = {"features": features} if model.features else {}
    tensors.update({f"indices{t}": index.long() for t, index in enumerate(indices)})
    flat = Exported(model, [at.long() for at in offsets], batch).eval()
    warnings.filterwarnings("ignore")  # of other batch sizes than this one
    torch.onnx.export(flat, tuple(tensors.values()), path, input_names=list(tensors), output_names=["y"],
                      opset_version=OPSET)
    return {name: numpy.ascontiguousarray(tensor.numpy()) for name, tensor in tensors.items()}


def compare(name, folder, batch, library):
    model, inputs, own = kernels_torch.dumped(name, folder, batch)
    path = os.path.join(folder, "model.onnx")
    arrays = export(model, inputs, path)
    runtime = Runtime(library)
    own = own.numpy().astype("float64")
    off = abs(runtime.run(path, arrays, own.shape) - own)
    logit = ROUNDING * sum(k ** 0.5 for k in model.numbers.wide)
    part = (off / (SIGMOID + logit * own * (1 - own))).max()
    print(name, runtime.version, own.shape[1], f"{off.max():.3g}", f"{(off / own).max():.3g}", f"{part:.2f}",
          f"{own.min():.3g}", f"{own.max():.3g}", sep=",", flush=True)
    # Not a number is as bad as too far; the library's own threads end with the process.
    os._exit(0 if 0 < own.min() and own.max() < 1 and part <= 1 else 1)


def main():
    torch.set_num_threads(1)
    with torch.inference_mode():
        compare(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])


if __name__ == "__main__":
    main()
