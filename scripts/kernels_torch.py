#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The models of the catalogue in PyTorch, as the peer of the engine `own`; started by kernels.sh.

    kernels_torch.py times MODEL BYTES SECONDS BATCH...    CSV of one request's time, by batch and way
    kernels_torch.py check MODEL FOLDER BATCH              compares with what rf_kernels --dump wrote
    kernels_torch.py cores                                 which OPENBLAS_CORETYPE multiplies fastest

Operators and their order are those of the reference repository, one for each lookup, layer and
activation, fp32, one thread. Each batch size is measured in two ways, as PyTorch runs Python's calls
(`eager`) and traced and frozen (`traced`); attention units are also run as one batch (`batched`),
which the reference does not. Times are of the thread's own processor time, after warming up.

Inputs are made ahead, in so many different sets that rows do not stay in a cache.
"""

import os
import subprocess
import sys
import time

import numpy
import torch
import torch.nn.functional as F
import yaml

RING_BYTES = 128e6   # of rows, in all sets of inputs of one batch size
MOST_VIEWS = 100_000  # tensors in them
MOST_RUNS = 100_000


def load(name):
    path = os.path.join(os.path.dirname(__file__), "..", "models", "catalog", name + ".yaml")
    with open(path, encoding="utf-8") as file:
        model = yaml.safe_load(file)
    for key in ("dense_mlp", "task_mlp", "attention_mlp"):
        model.setdefault(key, [])
    for key, value in {"dense_inputs": 0, "behaviours": 0, "behaviour_tables": 0, "tasks": 1,
                       "gates": 1, "hidden": 0, "interaction": "concat"}.items():
        model.setdefault(key, value)
    return model


class Numbers:
    """Parameters and rows: drawn, or read from a dump in the engine's order."""

    def __init__(self, folder=None):
        self.values = None if folder is None else numpy.fromfile(folder + "/parameters", "float32")
        self.at = 0
        self.folder = folder
        self.wide = []  # how many numbers a layer adds, of each layer

    def take(self, *shape):
        n = int(numpy.prod(shape))
        self.wide += shape[1:]
        if self.values is None:
            return (torch.rand(*shape) - 0.5) * 2 * (3 / shape[-1]) ** 0.5
        self.at += n
        return torch.from_numpy(self.values[self.at - n:self.at].reshape(shape).copy())

    def tables(self, rows, dim):
        if self.folder is None:
            return [torch.rand(n, dim).sub_(0.5) for n in rows]
        values = numpy.fromfile(self.folder + "/tables", "float32").reshape(-1, dim)
        first = numpy.fromfile(self.folder + "/first_rows", "uint32")
        return [torch.from_numpy(values[a:b].copy()) for a, b in zip(first[:-1], first[1:])]


class Model(torch.nn.Module):
    """Layers in the order of native/network.h, which is that of the dump."""

    def __init__(self, name, numbers, most_bytes, batched=False):
        super().__init__()
        self.model = model = load(name)
        self.batched = batched
        self.dim = model["dim"]
        self.lookups = [int(k) for n, k in zip(model["tables"], model["lookups"]) for _ in range(n)]
        full = [int(r) for n, r in zip(model["tables"], model["rows"]) for _ in range(n)]
        frac = min(1, most_bytes / (4 * self.dim * sum(full))) if most_bytes else 1
        self.tables = numbers.tables([max(1, int(n * frac)) for n in full], self.dim)
        self.features = (model["dense_mlp"][0] if model["dense_mlp"] else 0) + model["dense_inputs"]
        if model["interaction"] == "two-branch":
            self.features = 0
        self.numbers = numbers
        self.find_behaviours()
        self.make_layers()

    def find_behaviours(self):
        first, self.first, wanted = 0, None, self.model["behaviour_tables"]
        larger = None
        for n in self.model["tables"]:
            if n == wanted:
                self.first = first
            elif n > wanted and larger is None:
                larger = first
            first += n
        if self.first is None:
            self.first = larger or 0
        self.behaving = range(self.first, self.first + wanted)
        self.others = [t for t in range(len(self.lookups)) if t not in self.behaving]

    def layer(self, wide, narrow):
        return self.numbers.take(narrow, wide), self.numbers.take(narrow)

    def stack(self, wide, widths):
        layers = []
        for width in widths:
            layers.append(self.layer(wide, width))
            wide = width
        return layers, wide

    def recurrent(self, wide):
        hidden, gates = self.model["hidden"], self.model["gates"]
        layer = (torch.nn.GRU if gates == 3 else torch.nn.RNN)(wide, hidden)
        for part, width in (("ih", wide), ("hh", hidden)):
            weights, biases = self.layer(width, gates * hidden)
            getattr(layer, f"weight_{part}_l0").data = weights
            getattr(layer, f"bias_{part}_l0").data = biases
        return layer

    def make_layers(self):
        model, dim = self.model, self.dim
        width, self.dense = 0, []
        kind = model["interaction"]
        if kind != "two-branch":
            if model["dense_mlp"]:
                self.dense, width = self.stack(model["dense_mlp"][0], model["dense_mlp"][1:])
            width += model["dense_inputs"]
        if kind == "attention":
            self.unit, _ = self.stack(3 * dim, model["attention_mlp"])
            width += dim
        elif kind == "recurrent":
            self.first_rnn = self.recurrent(dim)
            self.score = self.layer(model["hidden"], model["hidden"])
            self.second_rnn = self.recurrent(model["hidden"])
            width += model["hidden"]
        width += dim * (len(self.others) // 2 if kind == "two-branch" else len(self.others))
        self.top, width = self.stack(width, model["top_mlp"])
        width += dim if kind == "two-branch" else 0
        self.tasks = [self.stack(width, model["task_mlp"])[0]
                      for _ in range(model["tasks"] if model["task_mlp"] else 0)]

    @staticmethod
    def run(x, layers, last=torch.relu_):
        for i, (weights, biases) in enumerate(layers):
            x = F.linear(x, weights, biases)
            x = torch.relu_(x) if i + 1 < len(layers) else last(x)
        return x

    def bag(self, table, indices, offsets):
        return torch.embedding_bag(self.tables[table], indices, offsets, False, 0, False)[0]

    def behaviours(self, indices, offsets, batch):
        """Each of a table's behaviours is the sum of its share of the lookups."""
        per_table = self.model["behaviours"] // max(1, len(self.behaving))
        for table in self.behaving:
            rows = self.bag(table, indices[table], offsets[table])
            if per_table == 1:
                yield rows
            else:
                yield from rows.view(batch, per_table, self.dim).unbind(1)

    def attend(self, ad, behaviours):
        last = torch.relu_
        if self.batched:
            e = torch.stack(behaviours)
            a = ad.expand_as(e)
            x = self.run(torch.cat([e, e + a, a], 2).flatten(0, 1), self.unit, last)
            return x.view(len(behaviours), -1, self.dim).sum(0)
        units = [self.run(torch.cat([e, e + ad, ad], 1), self.unit, last) for e in behaviours]
        return torch.stack(units).sum(0)

    def evolve(self, behaviours):
        steps = torch.cat(behaviours, 0).view(len(behaviours), -1, self.dim)
        states, _ = self.first_rnn(steps)
        weighed = states + F.linear(states, *self.score).softmax(2)
        return self.second_rnn(weighed)[1][0]

    def forward(self, features, indices, offsets, batch: int):
        model, kind = self.model, self.model["interaction"]
        parts, end = [], torch.sigmoid
        if self.features:
            n = model["dense_mlp"][0] if model["dense_mlp"] else 0
            if self.dense:
                parts.append(self.run(features[:, :n], self.dense))
            if model["dense_inputs"]:
                parts.append(features[:, n:] if n else features)
        rows = {t: self.bag(t, indices[t], offsets[t]) for t in self.others}
        if kind == "attention":
            behind = self.behaving.stop
            ad = rows[behind if behind < len(self.lookups) else 0]
            parts.append(self.attend(ad, list(self.behaviours(indices, offsets, batch))))
        elif kind == "recurrent":
            parts.append(self.evolve(list(self.behaviours(indices, offsets, batch))))
        if kind == "two-branch":
            x = torch.cat([rows[t] for t in self.others[1::2]], 1)
            x = self.run(x, self.top, torch.relu_ if self.tasks else end)
            total = rows[0] + rows[2]
            for t in self.others[4::2]:
                total = total + rows[t]
            x = torch.cat([x, total], 1)
        else:
            x = torch.cat(parts + [rows[t] for t in self.others], 1)
            x = self.run(x, self.top, torch.relu_ if self.tasks else end)
        return torch.cat([self.run(x, task, end) for task in self.tasks], 1) if self.tasks else x

    def pooled(self, table):
        """How many of a table's lookups go into one sum."""
        per_table = self.model["behaviours"] // max(1, len(self.behaving))
        return self.lookups[table] // (per_table if table in self.behaving else 1)


def inputs_of(model, batch):
    """Sets of (features, indices, offsets), which differ in their indices."""
    item_bytes = sum(model.lookups) * model.dim * 4
    sets = int(min(max(2, RING_BYTES / (batch * item_bytes)), MOST_VIEWS / len(model.lookups)))
    offsets = [torch.arange(0, batch * k, model.pooled(t), dtype=torch.int32)
               for t, k in enumerate(model.lookups)]
    rings = [torch.randint(0, table.shape[0], (sets, batch * k), dtype=torch.int32).unbind(0)
             for table, k in zip(model.tables, model.lookups)]
    n_features = int(min(sets, max(2, 16e6 / (4 * batch * model.features)))) if model.features else 1
    features = [torch.rand(batch, model.features) for _ in range(n_features)]
    return [(features[i % n_features], list(ring[i] for ring in rings), offsets, batch)
            for i in range(sets)]


def measure(call, sets, seconds):
    for i in range(6):
        call(*sets[i % len(sets)])
    times, begin, i = [], time.monotonic(), 6
    while len(times) < MOST_RUNS and (len(times) < 5 or time.monotonic() - begin < seconds):
        before = time.thread_time_ns()
        call(*sets[i % len(sets)])
        times.append(time.thread_time_ns() - before)
        i += 1
    times.sort()
    return times


def traced(model, example):
    """The call as TorchScript: without Python between operators."""
    features, indices, offsets, batch = example

    class Flat(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, features, *indices):
            return self.model(features, list(indices), offsets, batch)

    call = torch.jit.trace(Flat().eval(), (features, *indices), check_trace=False)
    call = torch.jit.freeze(call.eval())
    return lambda features, indices, offsets, batch: call(features, *indices)


def times(name, most_bytes, seconds, batches):
    ways = ["eager", "traced"] + (["batched"] if load(name)["attention_mlp"] else [])
    model = Model(name, Numbers(), most_bytes)
    print(f"# PyTorch {torch.__version__}, OPENBLAS_CORETYPE={os.environ.get('OPENBLAS_CORETYPE', '')}")
    print("model,batch,median_ns,quarter_ns,least_ns,runs,way")
    for batch in batches:
        sets = inputs_of(model, batch)
        for way in ways:
            model.batched = way == "batched"
            call = model if way == "eager" else traced(model, sets[0])
            t = measure(call, sets, seconds)
            print(name, batch, t[len(t) // 2], t[len(t) // 4], t[0], len(t), way, sep=",", flush=True)


def dumped(name, folder, batch):
    """What rf_kernels --dump wrote: the model, its inputs, and the engine's outputs."""
    model = Model(name, Numbers(folder), 0)
    assert model.numbers.at == len(model.numbers.values), "parameters are left"
    flat = torch.from_numpy(numpy.fromfile(folder + "/indices", "int32"))
    indices = list(flat.split([batch * k for k in model.lookups]))
    offsets = [torch.arange(0, batch * k, model.pooled(t), dtype=torch.int32)
               for t, k in enumerate(model.lookups)]
    features = torch.from_numpy(numpy.fromfile(folder + "/features", "float32")[:batch * model.features])
    own = torch.from_numpy(numpy.fromfile(folder + "/outputs", "float32")).view(batch, -1)
    return model, (features.view(batch, -1), indices, offsets, batch), own


def check(name, folder, batch):
    model, inputs, own = dumped(name, folder, batch)
    outputs = model(*inputs)
    print(name, outputs.shape[1], f"{(outputs - own).abs().max():.3g}",
          f"{own.min():.3g}", f"{own.max():.3g}", sep=",")


def cores():
    """The mean speed over shapes of the catalogue, by core; each in a process of its own."""
    program = ("import torch, time\n"
               "torch.set_num_threads(1)\nrate = 1\n"
               "for m, k, n in ((1, 1376, 1024), (16, 1024, 512), (64, 1376, 1024), (256, 256, 256), (512, 1376, 1024)):\n"
               " x, w, b, best = torch.rand(m, k), torch.rand(n, k), torch.rand(n), 9\n"
               " for _ in range(30):\n"
               "  before = time.thread_time(); torch.nn.functional.linear(x, w, b); best = min(best, time.thread_time() - before)\n"
               " rate *= (2e-9 * m * k * n / best) ** 0.2\n"
               "print(rate)")
    rates = {}
    for core in ("", "HASWELL", "ZEN", "SKYLAKEX", "COOPERLAKE"):
        env = dict(os.environ, OPENBLAS_CORETYPE=core) if core else os.environ
        run = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True,
                             check=False)
        if run.returncode == 0:
            rates[core] = float(run.stdout)
    best = max(rates, key=rates.get)
    print(best or "default", " ".join(f"{core or 'default'}:{rate:.0f}" for core, rate in rates.items()))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    with torch.inference_mode():
        if sys.argv[1] == "times":
            times(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), [int(b) for b in sys.argv[5:]])
        elif sys.argv[1] == "check":
            check(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        else:
            cores()


if __name__ == "__main__":
    main()
