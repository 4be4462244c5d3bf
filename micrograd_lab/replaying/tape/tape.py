"""The tape: a recorded graph as an array of integers, for an interpreter that is compiled already.

Nothing is compiled per graph, so a program is ready as soon as its tape is written.  An
instruction works on rows, one number per sample, for up to 128 samples at once.  Nodes of the same
operation whose rows lie side by side share an instruction; dot products of the same inputs are one
instruction, a layer.  Going back, each instruction hands gradients on to what it read: the chain
rule, see ``kernel.c.in``.  Elsewhere the rows are registers, and the whole is a Wengert list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ctypes import Structure, addressof, c_double, c_ssize_t, c_void_p
from itertools import accumulate, chain
from typing import Any, TypeAlias

from ...formulas import Floats, np
from ...ops import Op
from ...tell.languages import formula_text, spell_out
from ..plan import DOT, EACH, ONCE, ONE, TAKE, Plan, products
from .kernel import codes, load

BLOCK = 128  # samples; their rows stay in the processor's cache
_SUM, _DOT, _LAYER, _TAKE = -1, -2, -3, -4  # as the kernel calls them
_HEADER = 15
_Groups: TypeAlias = "list[list[int]]"


class Job(Structure):
    """What the kernel is given: addresses of arrays, how much there is of what, and the loss."""

    _fields_ = (
        *((name, c_void_p) for name in ("tape", "once", "once_grad", "work", "columns", "data")),
        *((name, c_ssize_t) for name in ("samples", "width", "blocks", "stride")),
        ("loss", c_double),
        ("each", c_void_p),
    )


class Tape:
    """The program of a plan of so many parameters, and with these names of its nodes, or empty."""

    def __init__(self, plan: Plan, parameters: int, names: Callable[[int], str]) -> None:
        self._run: Any = load()
        if not self._run:
            raise ImportError(
                "no kernel for the tape was compiled when this was installed; install a wheel for "
                'this platform, or where there is a C compiler; backend="numpy" needs none'
            )
        self._writer = writer = _Writer(plan, parameters, names)
        self._tape = np.array(writer.tape, dtype=np.int32)
        self._once = np.array(writer.once)
        self._once_grad = np.zeros(len(self._once))
        self._job = Job(*(array.ctypes.data for array in (self._tape, self._once, self._once_grad)))
        self._address = c_void_p(addressof(self._job))
        self._data: Floats = np.zeros((0, 0))
        self._samples = 0
        self.layout: range = range(parameters)
        self.vector: Floats = self._once[:parameters]
        self.gradient: Floats = self._once_grad[:parameters]

    def __call__(self, data: Floats) -> float:
        """The loss for `data`; fills `gradient`.  An error if anything is infinite or NaN."""
        if data is not self._data or len(data) != self._samples:  # it may have been resized
            self._take(data)
        if self._run(self._address):
            raise FloatingPointError("infinite or NaN")
        return self._job.loss  # type: ignore[no-any-return]

    def each(self, data: Floats) -> Floats:
        """The result for each sample, infinite or NaN where it is; no gradient."""
        found: Floats = np.empty(len(data))
        self._job.each = found.ctypes.data
        self._take(data)
        self._run(self._address)
        self._job.each = None
        return found

    def _take(self, data: Floats) -> None:
        """Let the kernel read `data`."""
        if not data.flags.aligned:
            data = data.copy()
        if len(data) != self._samples:
            self._make_room(len(data))
        self._data, self._job.data, self._job.width = data, data.ctypes.data, data.shape[1]

    @property
    def source(self) -> str:
        """The tape as one reads it: a line per instruction of the forward pass."""
        return self._writer.listing()

    def _make_room(self, samples: int) -> None:
        job, blocks = self._job, -(-samples // BLOCK)
        stride = 1 if samples == 1 else -(-samples // blocks // 8) * 8
        if stride % 64 == 0:
            stride += 8  # rows a power of two apart would share a few lines of the cache
        size = self._writer.rows * stride * 2
        widest = -(-self._writer.widest // 16) * 16
        room = np.zeros(8 + size + 16 + widest * (stride + 1))
        begin = room.ctypes.data + -room.ctypes.data % 64  # no vector straddles a cache line
        self._room = room
        job.work, job.columns = begin, begin + 8 * (-(-size // 8) * 8)
        self._samples, job.samples, job.blocks, job.stride = samples, samples, blocks, stride


class _Writer:
    """Writes the tape of a plan: a header, lists, and the instructions, eight integers each.

    Nodes that are computed once have a place in `once`, the others a row.  The first rows are the
    columns of the data, and a row of ones.  What is computed once and read by an instruction on
    rows is spread over a row of its own.
    """

    def __init__(self, plan: Plan, parameters: int, names: Callable[[int], str]) -> None:
        self.plan, self.names, self.codes = plan, names, codes()
        self.once = [0.0] * parameters  # before the first run: 0 where something is computed
        self.constants: dict[str, int] = {}
        self.one = self.constant(1.0)
        self.place = [-1] * (len(plan) + 1)  # the last one is that of ONE
        self.row = self.place[:]
        for i, place in plan.parameters.items():
            self.place[i] = place
        for i, number in plan.constants.items():
            self.place[i] = self.constant(number)
        self.layers: dict[int, dict[int, int]] = {}  # dot product -> input -> node that weighs it
        self.widest = 0  # the most inputs or outputs that a layer has
        self.weights: tuple[int, ...] = ()  # of the layer before: where they begin, and more
        self.groups = groups = self.grouped()
        for i in chain(*groups[ONCE]):
            self.place[i] = len(self.once)
            self.once.append(0.0)
        self.place[ONE] = self.one
        self.columns = sorted(plan.columns, key=plan.columns.__getitem__)
        self.spread = self.spread_over_rows(groups[EACH])
        rows = [*self.columns, ONE, *self.spread, *chain(*groups[EACH])]
        for row, i in enumerate(rows):
            self.row[i] = row
        self.rows = len(rows)
        self.copies: dict[tuple[int, ...], int] = {}  # of weights that are not side by side
        self.lists: list[int] = []
        self.tape = self.written()

    def written(self) -> list[int]:
        """The tape; the kernel reads its header."""
        plan, groups = self.plan, self.groups
        code = [self.instructions(of, at) for of, at in zip(groups, (self.place, self.row))]
        lists: list[list[Iterable[int]]] = [
            [[plan.columns[i]] for i in self.columns],
            [(i, k) for places, to in self.copies.items() for k, i in enumerate(places, to)],
            [(self.one, self.row[ONE], 0)],
        ]
        lists[2] += [(self.place[i], self.row[i], plan.active[i]) for i in self.spread]
        header = [self.rows]
        for entries in lists:
            header += [len(entries), self.listed(chain(*entries))]
        mean = plan.phases[plan.result] == EACH
        header += [self.row[plan.result] if mean else self.place[plan.result], mean]
        idle = sum(not plan.active[i] for i in self.spread)
        header += [len(plan.parameters), len(self.once), self.row[ONE] + 1 + idle]
        begins = accumulate(map(len, code), initial=_HEADER + len(self.lists))
        return [*begins, *header, *self.lists, *chain(*code)]

    def constant(self, number: float) -> int:
        """The place of a constant."""
        place = self.constants.setdefault(repr(number), len(self.once))
        if place == len(self.once):
            self.once.append(number)
        return place

    def listed(self, numbers: Iterable[int]) -> int:
        """Where on the tape the list of `numbers` is."""
        begin = _HEADER + len(self.lists)
        self.lists.extend(numbers)
        return begin

    def grouped(self) -> list[_Groups]:
        """The nodes of each phase, in groups of one operation that do not need each other."""
        plan = self.plan
        depth: list[int] = []
        found: list[dict[tuple[object, ...], list[int]]] = [{}, {}]
        for i, (op, inputs, phase) in enumerate(zip(plan.ops, plan.inputs, plan.phases)):
            below = 0
            if op:
                below = 1 + max([depth[j] for j in inputs])
                key = (below, op, self.layer_inputs(i) if op is DOT else ())
                found[phase].setdefault(key, []).append(i)
            depth.append(below)
        self.depth = depth

        def order(nodes: list[int]) -> tuple[int, int]:  # layers of the same weights side by side
            return depth[nodes[0]], plan.inputs[nodes[0]][0] if nodes[0] in self.layers else -1

        return [sorted(of.values(), key=order) for of in found]

    def layer_inputs(self, i: int) -> tuple[int, ...]:
        """What a dot product reads, if a layer can compute it: each input once, with a weight.
        A bias is the weight of the row of ones."""
        inputs, phases = self.plan.inputs[i], self.plan.phases
        pairs = DOT.pairs(len(inputs))
        read, by = [*inputs[pairs : 2 * pairs]], [*inputs[:pairs]]
        if {phases[x] for x in read} != {EACH} or {phases[w] for w in by} != {ONCE}:
            return ()
        if len(inputs) > 2 * pairs:
            read.append(ONE)
            by.append(inputs[-1])
        weights = dict(zip(read, by))
        if len(weights) < len(read):
            return ()
        self.layers[i] = weights
        return tuple(weights)

    def spread_over_rows(self, groups: _Groups) -> list[int]:
        """What instructions on rows read of what is computed once; first what has no gradient."""
        plan = self.plan
        read: dict[int, None] = {}
        for i in chain(*(group for group in groups if group[0] not in self.layers)):
            inputs = plan.inputs[i][: 1 if self.takes_once(i) else None]
            read |= dict.fromkeys(j for j in inputs if plan.phases[j] == ONCE)
        return sorted(read, key=plan.active.__getitem__)

    def instructions(self, groups: _Groups, at: list[int]) -> list[int]:
        """The instructions that compute `groups`."""
        code: list[int] = []
        for group in groups:
            op = self.plan.ops[group[0]]
            assert op
            if group[0] in self.layers:
                code += self.layer(group)
            elif op is TAKE:
                code += chain(*(self.taken(i, at) for i in group))
            elif op.name in self.codes:
                code += self.elementwise(op, group, at)
            else:
                code += chain(*(self.sum(i, at) for i in group))
        return code

    def elementwise(self, op: Op, group: list[int], at: list[int]) -> list[int]:
        """Nodes whose rows lie side by side, and those of their inputs, share an instruction."""
        plan, number = self.plan, self.codes[op.name]
        n = 0 if op.n is None else self.constant(op.n)
        code: list[int] = []
        count = 0  # of nodes in the last instruction
        for i in group:
            inputs = plan.inputs[i]
            places = [at[i], at[inputs[0]], at[inputs[len(inputs) > 1]], at[inputs[-1]]]
            active = sum([plan.active[j] << k for k, j in enumerate(inputs)])
            if count and code[-1] == active and places == [k + count for k in code[-6:-2]]:
                count = code[-7] = count + 1
            else:
                count = 1
                code += [number, 1, *places, n, active]
        return code

    def taken(self, i: int, at: list[int]) -> list[int]:
        """What an index asks for: of rows, or of what is computed once."""
        index, *entries = self.plan.inputs[i]
        once = self.takes_once(i)
        listed = self.listed((self.place if once else at)[j] for j in entries)
        return [_TAKE, len(entries), at[i], at[index], listed, once, self.plan.active[i], 0]

    def takes_once(self, i: int) -> bool:
        """Whether a node takes one of what is computed once."""
        plan = self.plan
        return plan.ops[i] is TAKE and all(plan.phases[j] == ONCE for j in plan.inputs[i][1:])

    def sum(self, i: int, at: list[int]) -> list[int]:
        """A sum, or a dot product: (place of x, of y) for each product, going back (to, of y)."""
        plan, inputs = self.plan, self.plan.inputs[i]
        code = _DOT if plan.ops[i] is DOT else _SUM
        terms: list[tuple[int, ...]] = [*products(DOT, inputs)] if code == _DOT else [*zip(inputs)]
        ways = 2 if code == _DOT else 1  # a product hands on to both factors
        edges = [edge for term in terms for edge in (term, term[::-1])[:ways]]
        edges = [edge for edge in edges if self.is_active(edge[0])]
        lists = [self.listed(at[j] for j in chain(*part)) for part in (terms, edges)]
        return [code, 1, at[i], lists[0], len(terms), lists[1], len(edges), 0]

    def layer(self, group: list[int]) -> list[int]:
        """Dot products of the same inputs; those that take a gradient are first."""
        inputs = sorted(self.layers[group[0]], key=self.is_active, reverse=True)
        active = sum(map(self.is_active, inputs))
        self.widest = max(self.widest, len(inputs), len(group))
        starts = [self.begin(*[self.place[self.layers[i][j]] for j in inputs]) for i in group]
        outs, ins = [self.row[i] for i in group], [self.row[j] for j in inputs]
        weights = self.depth[group[0]], active, len(inputs), *starts
        again = weights == self.weights
        if not again:
            self.weights, self.starts = weights, self.listed(starts)
        lists = [self.listed(outs), self.listed(ins), len(inputs), self.starts]
        return [_LAYER, len(group), *lists, active, -again]

    def begin(self, *places: int) -> int:
        """Where the weights at `places` lie side by side, if need be as a copy for all layers."""
        if places == (*range(places[0], places[0] + len(places)),):
            return places[0]
        if places not in self.copies:
            self.copies[places] = len(self.once)
            self.once += [0.0] * len(places)
        return self.copies[places]

    def listing(self) -> str:
        """What is computed, in order."""
        titles = ("once, from the parameters", "for each sample")
        parts = [[f"# {t}", *map(self.line, of)] for t, of in zip(titles, self.groups) if of]
        return "".join(f"{line}\n" for part in parts for line in part)

    def line(self, group: list[int]) -> str:
        """What a group computes; of several nodes, the first and the last are named."""
        op, inputs = self.plan.ops[group[0]], [self.plan.inputs[i] for i in group]
        assert op
        if group[0] in self.layers:
            names = ["1" if j == ONE else self.name(j) for j in self.layers[group[0]]]
            read = names if len(names) <= 9 else [*names[:2], "…", names[-1]]
            formula = f"weights ({len(group)} × {len(names)}) · ({', '.join(read)})"
        else:
            columns = [self.name(*nodes) for nodes in zip(*inputs)]
            formula, places = spell_out(op, len(columns))
            letters = {letter: columns[k] for letter, k in places.items()}
            formula = formula_text(formula, letters | {"n": f"{op.n}", "dots": "…"})
        return f"{self.name(*group)} = {formula}"

    def name(self, *nodes: int) -> str:
        """What nodes are called."""
        first, last = (
            f"{self.plan.constants[i]:g}" if i in self.plan.constants else self.names(i) or f"n{i}"
            for i in (nodes[0], nodes[-1])
        )
        return first if nodes[0] == nodes[-1] else f"[{first} … {last}]"

    def is_active(self, i: int) -> bool:
        return i != ONE and self.plan.active[i]
