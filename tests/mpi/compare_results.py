#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are two results files the same outside /run? Files that carry a content_digest are the same when
it is; `recfleet show --digest` and its tests hold that it is that of the content. With --deep, and
for files without one, beyond h5diff: every object, attribute, type, dimension scale, filter and
chunk of storage, to the bit.

usage: compare_results.py [--deep] A.h5 B.h5
prints the differences, exit status 1 when there are any
"""

import sys

import h5py
import numpy

LEFT_OUT = "/run"


def same_bits(a, b):
    """NaN equals NaN of the same bits, 0 does not equal -0."""
    a, b = numpy.asarray(a), numpy.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return a.tolist() == b.tolist() if a.dtype.hasobject else a.tobytes() == b.tobytes()


def place(file, value):
    """References as what they point to: their bits are addresses in the file."""
    if isinstance(value, h5py.Reference):
        return file[value].name if value else None
    if isinstance(value, numpy.void) and value.dtype.names:
        return tuple(place(file, value[n]) for n in value.dtype.names)
    if isinstance(value, numpy.ndarray) and value.dtype.hasobject:
        return [place(file, v) for v in value.flat]
    return value


def attributes(file, object):
    out = {}
    for name in object.attrs:
        value = object.attrs[name]
        if isinstance(value, h5py.Empty):
            value = ("empty", str(value.dtype))
        value = place(file, value)
        # What refers to a dimension may stand in any order and may lie in /run.
        if name == "REFERENCE_LIST":
            value = sorted(v for v in value if not v[0].startswith(LEFT_OUT + "/"))
        out[name] = (object.attrs.get_id(name).dtype.str, value)
    return out


def differing_attributes(name, files, objects):
    a, b = (attributes(f, o) for f, o in zip(files, objects))
    for key in sorted(a.keys() | b.keys()):
        if key not in a or key not in b:
            yield f"{name}: attribute {key} is in one file only"
        elif a[key][0] != b[key][0] or not same_value(a[key][1], b[key][1]):
            yield f"{name}: attribute {key}: {a[key]} and {b[key]}"


def same_value(a, b):
    if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
        return a == b
    return same_bits(a, b)


def layout(dataset):
    # h5py does not survive the fill value of strings.
    fill = None if dataset.dtype.hasobject else repr(dataset.fillvalue)
    return (dataset.dtype, dataset.shape, dataset.maxshape, dataset.chunks, dataset.compression,
            dataset.compression_opts, dataset.shuffle, dataset.fletcher32, fill)


def differing_data(name, a, b):
    if layout(a) != layout(b):
        yield f"{name}: {layout(a)} and {layout(b)}"
        return
    if not same_bits(a[()], b[()]):
        x, y = numpy.asarray(a[()]), numpy.asarray(b[()])
        yield f"{name}: {numpy.count_nonzero(x != y)} of {x.size} values"
    elif a.chunks and a.id.get_num_chunks() != b.id.get_num_chunks():
        yield f"{name}: {a.id.get_num_chunks()} and {b.id.get_num_chunks()} chunks"
    elif a.chunks:
        for i in range(a.id.get_num_chunks()):
            at = a.id.get_chunk_info(i).chunk_offset
            if a.id.read_direct_chunk(at) != b.id.read_direct_chunk(at):
                yield f"{name}: chunk at {at} is stored differently"


def objects(file):
    """Names of all objects in the order of the file, /run and below left out."""
    names = ["/"]
    file.visit(lambda name: names.append("/" + name))
    return [n for n in names if n != LEFT_OUT and not n.startswith(LEFT_OUT + "/")]


def differences(path_a, path_b, deep=False):
    with h5py.File(path_a, "r") as a, h5py.File(path_b, "r") as b:
        digests = [f.attrs.get("content_digest") for f in (a, b)]
        if None not in digests:
            if digests[0] == digests[1] and not deep:
                return
            if digests[0] != digests[1]:
                yield f"content_digest: {digests[0]} and {digests[1]}"
        names = objects(a)
        if names != objects(b):
            yield f"objects: {sorted(set(names) ^ set(objects(b))) or 'in another order'}"
            return
        if len(names) < 10:
            yield f"only {len(names)} objects: not a results file"
        for name in names:
            if type(a[name]) is not type(b[name]):
                yield f"{name}: a {a[name]} and a {b[name]}"
                continue
            yield from differing_attributes(name, (a, b), (a[name], b[name]))
            if isinstance(a[name], h5py.Dataset):
                yield from differing_data(name, a[name], b[name])


def main():
    words = sys.argv[1:]
    deep = words[:1] == ["--deep"]
    if len(words) != 2 + deep:
        sys.exit(__doc__)
    found = list(differences(*words[-2:], deep))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
