"""The cells of rlt as plain PyTorch modules with autograd: an independent check of values and gradients,
and the peer that rlt's speed is compared with.

Every cell maps (B, T, D) to (B, T, D). Recurrences are a Python loop over time; whatever does not depend
on the previous step is computed before the loop. Names of modules are those of rlt's parameters.
"""
import math

import torch
from torch import nn
from torch.nn import functional


# ---- what the recurrences share

# Ways to compute W^T k, w (..., d, m), k (..., d) -> (..., m): the one that everybody writes, and one that
# is with its backward 1.1 to 2 times as fast on small matrices.
READS = {
    "matmul": lambda w, k: (k.unsqueeze(-2) @ w).squeeze(-2),
    "elementwise": lambda w, k: (w * k.unsqueeze(-1)).sum(-2),
}
READ = "elementwise"


def read(w, k):
    return READS[READ](w, k)


# Ways in which Aaren sums up the past: a softmax over a masked matrix of scores, and a scan that joins log2 T times.
PREFIXES = ["matrix", "scan"]
PREFIX = "matrix"


def write(w, k, u):
    """W + k u^T: w (..., d, m), k (..., d), u (..., m)."""
    return w + k.unsqueeze(-1) * u.unsqueeze(-2)


def delta_write(w, k, v, beta):
    """W + k (beta (v - W^T k))^T: the delta rule."""
    return write(w, k, beta * (v - read(w, k)))


def elu1(x):
    return functional.elu(x) + 1


def sum_norm(x):
    return x / x.sum(-1, keepdim=True)


class Heads(nn.Module):
    """Slow projection, a recurrence in every head, output projection. Subclasses give `recur`, which maps
    a head's inputs (B, T, H, n) to its outputs, T times (B, H, d)."""

    vectors = 3  # inputs of a head with d numbers: q, k, v
    extra = 0  # then so many single numbers

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.d = heads, d_model // heads
        self.sizes = [self.d] * self.vectors + [1] * self.extra
        self.slow = nn.Linear(d_model, heads * sum(self.sizes), bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def forward(self, x):
        batch, steps, width = x.shape
        y = list(self.recur(self.slow(x).view(batch, steps, self.heads, -1)))
        return self.out(torch.stack(y, 1).reshape(batch, steps, width))

    def fresh(self, a):
        """W_0 = 0 for each sequence and head."""
        return a.new_zeros(len(a), self.heads, self.d, self.d)


# ---- cells

class Lstm(nn.Module):
    def __init__(self, d_model, _heads):
        super().__init__()
        self.lstm = nn.LSTM(d_model, d_model, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


class Elstm(nn.Module):
    def __init__(self, d_model, _heads):
        super().__init__()
        self.input = nn.Parameter(torch.randn(d_model, 2 * d_model) * 0.1)  # [Z | F]
        self.recurrent = nn.Parameter(torch.randn(2, d_model) * 0.1)
        self.bias = nn.Parameter(torch.randn(2, d_model) * 0.1)
        self.gate = nn.Linear(2 * d_model, d_model)

    def forward(self, x):
        a_z, a_f = (x @ self.input + self.bias.flatten()).chunk(2, -1)
        w_z, w_f = self.recurrent
        c = torch.zeros_like(x[:, 0])
        states = []
        for z, f in zip(a_z.unbind(1), a_f.unbind(1)):
            z, f = torch.tanh(z + w_z * c), torch.sigmoid(f + w_f * c)
            c = f * c + (1 - f) * z
            states.append(c)
        c = torch.stack(states, 1)
        return torch.sigmoid(self.gate(torch.cat([x, c], -1))) * c


class Gru(nn.Module):
    """Flax's form: reset behind the matrix; z keeps the old state."""

    def __init__(self, d_model, _heads):
        super().__init__()
        def kernels(gates):
            squares = [nn.init.orthogonal_(torch.empty(d_model, d_model), math.sqrt(2))
                       for _ in range(gates)]
            return nn.Parameter(torch.cat(squares, 1))
        self.input, self.recurrent, self.candidate = kernels(3), kernels(2), kernels(1)
        self.bias = nn.Parameter(torch.zeros(3 * d_model))
        self.bias_h = nn.Parameter(torch.zeros(d_model))

    def forward(self, x):
        h = torch.zeros_like(x[:, 0])
        states = []
        for a_t in (x @ self.input + self.bias).unbind(1):
            a_r, a_z, a_c = a_t.chunk(3, -1)
            u_r, u_z = (h @ self.recurrent).chunk(2, -1)
            c = torch.tanh(a_c + torch.sigmoid(a_r + u_r) * (h @ self.candidate + self.bias_h))
            h = torch.lerp(c, h, torch.sigmoid(a_z + u_z))
            states.append(h)
        return torch.stack(states, 1)


class Elman(nn.Module):
    def __init__(self, d_model, _heads):
        super().__init__()
        bound = 1 / math.sqrt(d_model)
        def uniform(*shape):
            return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.input, self.recurrent = uniform(d_model, d_model), uniform(d_model, d_model)
        self.bias = uniform(d_model)

    def forward(self, x):
        h = torch.zeros_like(x[:, 0])
        states = []
        for a in (x @ self.input + self.bias).unbind(1):
            h = torch.tanh(a + h @ self.recurrent)
            states.append(h)
        return torch.stack(states, 1)


class Attention(nn.Module):
    """Causal softmax attention, no positions."""

    bias = True

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.d = heads, d_model // heads
        self.slow = nn.Linear(d_model, 3 * d_model, bias=self.bias)
        self.out = nn.Linear(d_model, d_model, bias=self.bias)

    def forward(self, x):
        batch, steps, width = x.shape
        parts = self.slow(x).view(batch, steps, 3, self.heads, self.d)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (B, H, T, d)
        later = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        scores = (q @ k.transpose(-1, -2) / math.sqrt(self.d)).masked_fill(later, -math.inf)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, steps, width))


class BareAttention(Attention):
    bias = False


class Aaren(nn.Module):
    """Causal softmax attention with one learned query: keys and scores written out, masked softmax or scan."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.d = heads, d_model // heads
        self.query = nn.Parameter(0.02 * torch.randn(d_model))
        self.query_map, self.key, self.value, self.out = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, x):
        q = self.query_map(self.query).view(self.heads, self.d)
        k, v = (maps(x).unflatten(-1, q.shape).transpose(1, 2) for maps in (self.key, self.value))
        scores = (k @ q.unsqueeze(-1)).transpose(-1, -2) / math.sqrt(self.d)  # (B, H, 1, T)
        mixed = {"matrix": self.by_matrix, "scan": self.by_scan}[PREFIX](scores, v)
        return self.out(mixed.transpose(1, 2).flatten(2))

    @staticmethod
    def by_matrix(scores, v):
        later = torch.ones(v.shape[2], v.shape[2], dtype=torch.bool).triu(1)
        return scores.masked_fill(later, -math.inf).softmax(-1) @ v

    @staticmethod
    def by_scan(scores, v):
        """Every step holds the sums of the last 1, 2, 4 .. steps, counted in units of e^unit."""
        unit = scores.transpose(-1, -2)  # (B, H, T, 1)
        total, weighted = torch.ones_like(unit), v
        reach = 1
        while reach < v.shape[2]:
            joined = torch.maximum(unit[:, :, reach:], unit[:, :, :-reach]).detach()
            own, before = (unit[:, :, reach:] - joined).exp(), (unit[:, :, :-reach] - joined).exp()
            unit, total, weighted = (
                torch.cat([old[:, :, :reach], new], 2) for old, new in (
                    (unit, joined),
                    (total, own * total[:, :, reach:] + before * total[:, :, :-reach]),
                    (weighted, own * weighted[:, :, reach:] + before * weighted[:, :, :-reach])))
            reach *= 2
        return weighted / total


class Linear(Heads):
    def recur(self, a):
        q, k, v = a.split(self.sizes, -1)
        q, k = elu1(q), elu1(k)
        w = self.fresh(a)
        for q_t, k_t, v_t in zip(q.unbind(1), k.unbind(1), v.unbind(1)):
            w = write(w, k_t, v_t)
            yield read(w, q_t)


class DeltaNet(Heads):
    extra = 1  # beta

    def recur(self, a):
        q, k, v, beta = a.split(self.sizes, -1)
        q, k, beta = sum_norm(elu1(q)), sum_norm(elu1(k)), torch.sigmoid(beta)
        w = self.fresh(a)
        for q_t, k_t, v_t, beta_t in zip(q.unbind(1), k.unbind(1), v.unbind(1), beta.unbind(1)):
            w = delta_write(w, k_t, v_t, beta_t)
            yield read(w, q_t)


class DeltaRnn(Heads):
    """W reads q, R reads softmax of the head's last output; both are written by the delta rule."""

    vectors = 5  # q, k, v of W, then k, v of R
    extra = 2  # beta of W, beta of R

    def recur(self, a):
        w = self.fresh(a)
        y = w[..., 0]
        for z, r in self.fast_weights(a, w):
            y = z + read(r, y.softmax(-1))
            yield y

    def fast_weights(self, a, w):
        """W^T q and R of every step, from a (B, T, ..., 5 d + 2) and W = R at the start."""
        q, k, v, k_r, v_r, beta, beta_r = a.split(self.sizes, -1)
        parts = (sum_norm(elu1(q)), sum_norm(elu1(k)), v, torch.sigmoid(beta), k_r.softmax(-1), v_r,
                 torch.sigmoid(beta_r))
        r = w
        for q, k, v, beta, k_r, v_r, beta_r in zip(*(part.unbind(1) for part in parts)):
            w, r = delta_write(w, k, v, beta), delta_write(r, k_r, v_r, beta_r)
            yield read(w, q), r


class DeltaLstm(DeltaRnn):
    """Gates i, u, o, each like a DeltaRnn; the forget gate is 1 - i."""

    gates = 3

    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.slow = nn.Linear(d_model, heads * self.gates * sum(self.sizes), bias=False)

    def recur(self, a):
        w = self.fresh(a)
        h = c = w[..., 0]
        w = w.unsqueeze(2).expand(-1, -1, self.gates, -1, -1)
        for z, r in self.fast_weights(a.unflatten(-1, (self.gates, -1)), w):
            i, u, o = (z + read(r, h.softmax(-1).unsqueeze(-2))).unbind(-2)
            i = torch.sigmoid(i)
            c = i * u + (1 - i) * c
            h = torch.sigmoid(o) * c
            yield h


class DeltaMlp(nn.Module):
    """A fast network of two layers in every head, each rewritten by the delta rule."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.d = heads, d_model // heads
        inner = 4 * self.d
        self.sizes = [self.d, self.d, inner, inner, self.d, 1, 1]  # q, k1, v1, k2, v2, beta1, beta2
        self.slow = nn.Linear(d_model, heads * sum(self.sizes), bias=False)
        self.norm = nn.ModuleList([nn.LayerNorm(self.d)])  # shared by the heads
        self.out = nn.Linear(d_model, d_model, bias=False)

    def forward(self, x):
        batch, steps, width = x.shape
        a = self.slow(x).view(batch, steps, self.heads, -1)
        return self.out(torch.stack(list(self.recur(a)), 1).reshape(batch, steps, width))

    def recur(self, a):
        q, k1, v1, k2, v2, beta1, beta2 = a.split(self.sizes, -1)
        p1, k1, k2 = self.key(self.norm[0](q)), self.key(k1), self.key(k2)
        beta1, beta2 = torch.sigmoid(beta1), torch.sigmoid(beta2)
        w1 = a.new_zeros(len(a), self.heads, self.d, 4 * self.d)
        w2 = w1.transpose(-1, -2)
        for t in range(a.shape[1]):
            w1 = write(w1, k1[:, t], beta1[:, t] * (v1[:, t] - read(w1, k1[:, t])))
            w2 = write(w2, k2[:, t], beta2[:, t] * (v2[:, t] - read(w2, k2[:, t])))
            yield q[:, t] + read(w2, self.key(read(w1, p1[:, t])))

    @staticmethod
    def key(a):
        p = elu1(a)
        return p / (p.sum(-1, keepdim=True) + 1e-5)


class Rdn(Heads):
    """The delta rule with tanh of the head's last output fed back into q, k, v and beta."""

    extra = 1

    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        start = torch.randn(heads, self.d, sum(self.sizes)) / math.sqrt(self.d)
        self.recurrent = nn.Parameter(start)

    def recur(self, a):
        w = self.fresh(a)
        y = w[..., 0]
        for a_t in a.unbind(1):
            feedback = torch.einsum("bhe,hem->bhm", torch.tanh(y), self.recurrent)
            q, k, v, beta = (a_t + feedback).split(self.sizes, -1)
            q, k, beta = q.softmax(-1), k.softmax(-1), torch.sigmoid(beta)
            w = delta_write(w, k, v, beta)
            y = read(w, q)
            yield y


class Srwm(nn.Module):
    """W = [W^y W^q W^k W^b] reads its input, then rewrites itself; its initial value is trained."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.d = heads, d_model // heads
        square = (heads, self.d, self.d)
        deviation = 1 / math.sqrt(self.d)
        self.y = nn.Parameter(torch.randn(square) * deviation)
        self.q = nn.Parameter(torch.randn(square) * 0.01 * deviation)
        self.k = nn.Parameter(torch.randn(square) * deviation)
        self.b = nn.Parameter(torch.randn(heads, self.d, 4) * deviation - 1)
        self.out = nn.Linear(d_model, d_model, bias=False)
        self.sizes = [self.d, self.d, self.d, 4]
        # (4, 3 d + 4) ones where a column of W belongs to a block: spreads the four rates
        self.register_buffer("columns", torch.eye(4).repeat_interleave(torch.tensor(self.sizes), 1))

    def forward(self, x):
        batch, steps, width = x.shape
        return self.out(torch.stack(list(self.recur(x)), 1).reshape(batch, steps, width))

    def recur(self, x):
        w = torch.cat([self.y, self.q, self.k, self.b], -1).expand(len(x), -1, -1, -1)
        for x_t in x.view(len(x), -1, self.heads, self.d).unbind(1):
            y, q, k, beta = read(w, x_t).split(self.sizes, -1)
            q, k, beta = q.softmax(-1), k.softmax(-1), torch.sigmoid(beta)
            w = write(w, k, (beta @ self.columns) * read(w, q - k))
            yield y


class GtrxlBiases(nn.Module):
    """u and v: one of each for all layers."""

    def __init__(self, heads, d):
        super().__init__()
        self.u, self.v = nn.Parameter(torch.zeros(heads, d)), nn.Parameter(torch.zeros(heads, d))


class Gtrxl(nn.Module):
    """Attention with relative positions over one segment, nothing in the memory."""

    d = 64  # whatever d_model

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        inner = heads * self.d
        self.norm = nn.LayerNorm(d_model, eps=1e-6)
        self.query = nn.Linear(d_model, inner)
        self.key_value = nn.Linear(d_model, 2 * inner)
        self.position = nn.Linear(d_model, inner)
        self.out = nn.Linear(inner, d_model)
        self.biases = None  # a tuple, so that the layer does not count them as its own

    @classmethod
    def shared(cls, heads):
        return GtrxlBiases(heads, cls.d)

    def share(self, biases):
        self.biases = (biases,)

    def forward(self, x):
        steps, width = x.shape[1:]
        heads = (self.heads, self.d)
        k, v = self.key_value(self.norm(x)).unflatten(-1, (2, *heads)).unbind(2)
        q = self.query(x).unflatten(-1, heads)
        frequencies = 10000 ** (-torch.arange(0, width, 2, dtype=x.dtype) / width)
        angles = torch.outer(torch.arange(steps, dtype=x.dtype), frequencies)
        r = self.position(torch.cat([angles.sin(), angles.cos()], -1)).unflatten(-1, heads)
        step = torch.arange(steps)
        distance = step[:, None] - step
        (biases,) = self.biases
        scores = torch.einsum("bthd,bjhd->bhtj", q + biases.u, k)
        scores = scores + torch.einsum("bthd,tjhd->bhtj", q + biases.v, r[distance.clamp(min=0)])
        scores = (scores / math.sqrt(self.d)).masked_fill(distance < 0, -math.inf)
        return self.out(torch.einsum("bhtj,bjhd->bthd", scores.softmax(-1), v).flatten(2))
class Gated(nn.Module):
    """A head of 64 numbers, whatever d_model: features are outer products of n factors and the head's vectors."""

    head_size = 64
    epsilon = 0.0

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.d = heads, self.head_size
        self.out = nn.Linear(heads * self.d, d_model)

    def per_head(self, a, sizes):
        """(B, T, H sum(sizes)) -> for each size (B, T, H, size)."""
        return a.unflatten(-1, (self.heads, sum(sizes))).split(sizes, -1)

    @staticmethod
    def outer(factors, vectors):
        return torch.einsum("...n,...j->...nj", factors, vectors).flatten(-2)

    def traces(self, gates, values):
        """z_t = (1 - gate_t) z_{t-1} + gate_t value_t for all t: (B, T, ...)."""
        z = torch.zeros_like(values[:, 0])
        states = []
        for gate, value in zip(gates.unbind(1), values.unbind(1)):
            z = torch.lerp(z, value, gate)
            states.append(z)
        return torch.stack(states, 1)

    def forward(self, x):
        return self.out(self.recur(x).flatten(-2))


class Agalite(Gated):
    eta, r, epsilon = 4, 2, 1e-5

    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.slow = nn.Linear(d_model, heads * 5 * self.d)
        self.features = nn.Linear(d_model, heads * 3 * self.eta)

    def recur(self, x):
        key, query, value, beta, gamma = self.per_head(self.slow(x), [self.d] * 5)
        of_key, of_query, of_gamma = self.per_head(self.features(x), [self.eta] * 3)
        k = self.outer(of_key.relu(), key.relu())
        q = self.outer(of_query.relu(), query.relu())
        g = self.outer(of_gamma.sigmoid(), gamma.sigmoid())
        read = 0
        for frequency in torch.linspace(-math.pi, math.pi, self.r, dtype=torch.float64):
            phase = torch.arange(2, x.shape[1] + 2, dtype=torch.float64)  # the first token has phase 2
            wave = torch.cos(phase * frequency).to(x.dtype)[:, None, None]
            alike = (self.traces(g, wave * k) * q).sum(-1, keepdim=True)
            read = read + alike * self.traces(beta.sigmoid(), wave * value)
        total = (self.traces(g, k) * q).sum(-1, keepdim=True)
        return read / (2 * self.r * total + self.epsilon)


class Galite(Gated):
    nu, epsilon = 2, 1e-10

    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.slow = nn.Linear(d_model, heads * (5 * self.d + 2 * self.nu))
        self.query = nn.ModuleList(nn.Linear(self.d, self.d + self.nu) for _ in range(heads))

    def recur(self, x):
        slow = self.slow(x)
        wide = self.heads * 5 * self.d
        value, beta, gamma, key, before_query = self.per_head(slow[..., :wide], [self.d] * 5)
        of_key, of_gamma = self.per_head(slow[..., wide:], [self.nu] * 2)
        both = torch.stack([maps(part) for maps, part in zip(self.query, before_query.unbind(2))], 2)
        query, of_query = both.relu().split([self.d, self.nu], -1)
        k = self.outer(of_key.relu(), key.relu())
        q = self.outer(of_query, query)
        g = self.outer(of_gamma.sigmoid(), gamma.sigmoid())
        gates = beta.sigmoid().unsqueeze(-1) * g.unsqueeze(-2)
        c = self.traces(gates, value.unsqueeze(-1) * k.unsqueeze(-2))
        total = (self.traces(g, k) * q).sum(-1, keepdim=True)
        return (c @ q.unsqueeze(-1)).squeeze(-1) / (total + self.epsilon)


class RmsNorm(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))

    def forward(self, x):
        return x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * self.gain


def unit(x):
    return x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt()


def weigh(scores):
    """Softmax with one more element, of logit -1000 and value 0."""
    other = torch.full_like(scores[..., :1], -1000)
    return torch.cat([scores, other], -1).softmax(-1)[..., :-1]


class SlidingWindow(nn.Module):
    """Attention to exactly the W steps before each step. Before the start there are keys of zeros."""

    sizes = {"window": 64}
    vectors = 3  # q, k, v

    def __init__(self, d_model, heads, window=64):
        super().__init__()
        self.heads, self.window = heads, window
        self.slow = nn.Linear(d_model, self.vectors * d_model, bias=False)
        self.scale = nn.Parameter(torch.ones(heads))
        self.distance = nn.Parameter(torch.randn(heads, 32) / math.sqrt(32))
        self.make_out(d_model)

    def make_out(self, d_model):
        self.out = nn.Linear(d_model, d_model, bias=False)

    def per_head(self, x, vectors):
        """(.., N, vectors D) -> vectors times (.., H, N, d)"""
        return x.unflatten(-1, (vectors, self.heads, -1)).movedim(-3, 0).transpose(-2, -3)

    def bias(self):
        """(H, W) for distances W .. 1: T5's buckets."""
        distance = torch.arange(self.window, 0, -1)
        far = 16 + (16 * (distance / 16).log() / math.log(8)).floor().long()
        return self.distance[:, torch.where(distance < 16, distance, far.clamp(max=31))]

    def read_window(self, q, k, v):
        steps = q.shape[-2]
        k, v = (functional.pad(z, (0, 0, self.window, 0)).unfold(-2, self.window, 1)[..., :steps, :, :]
                for z in (k, v))  # (B, H, T, d, W)
        scores = torch.einsum("bhtd,bhtdw->bhtw", q, k) + self.bias()[:, None]
        weights = weigh(scores * self.scale.abs()[:, None, None])
        return torch.einsum("bhtw,bhtdw->bhtd", weights, v)

    def forward(self, x):
        q, k, v = self.per_head(self.slow(x), 3)
        return self.out(self.read_window(unit(q), unit(k), v).transpose(1, 2).flatten(2))


class States(nn.Module):
    """What a layer of BlockRecurrent knows of its states: gate fixed, configuration skip."""

    def __init__(self, d_model, heads, states):
        super().__init__()
        self.initial = nn.Parameter(0.1 * torch.randn(states, d_model))
        self.ids = nn.Parameter(torch.randn(states, d_model))
        self.norm = RmsNorm(d_model)
        self.slow = nn.Linear(d_model, 4 * d_model, bias=False)
        self.self_scale, self.token_scale = (nn.Parameter(torch.ones(heads)) for _ in range(2))
        self.out = nn.Linear(2 * d_model, d_model, bias=False)
        self.gate = nn.Module()
        self.gate.bias = nn.Parameter(0.1 * torch.randn(d_model))

    def update(self, c, read):
        keep = torch.sigmoid(self.gate.bias)
        return keep * c + (1 - keep) * self.out(read)


class BlockRecurrent(SlidingWindow):
    sizes = {"window": 64, "states": 64}
    vectors = 4  # q, k, v, q2

    def __init__(self, d_model, heads, window=64, states=64):
        super().__init__(d_model, heads, window)
        self.read_scale = nn.Parameter(torch.ones(heads))
        self.state = States(d_model, heads, states)

    def make_out(self, d_model):
        self.out = nn.Linear(2 * d_model, d_model, bias=False)

    @staticmethod
    def attend(q, k, v, scale):
        return weigh(q @ k.transpose(-1, -2) * scale.abs()[:, None, None]) @ v

    def forward(self, x):
        q, k, v, q2 = self.per_head(self.slow(x), 4)
        q, k, q2 = unit(q), unit(k), unit(q2)
        own, other = self.read_window(q, k, v), []
        c = self.state.initial.expand(len(x), -1, -1)
        before = [torch.zeros_like(k[..., :1, :]).expand(-1, -1, self.window, -1)] * 2
        for block in zip(*(z.split(self.window, -2) for z in (k, v, q2))):
            state_q, state_k, state_v, state_q2 = self.per_head(
                self.state.slow(self.state.norm(c) + self.state.ids), 4)
            state_q, state_k, state_q2 = unit(state_q), unit(state_k), unit(state_q2)
            other.append(self.attend(block[2], state_k, state_v, self.read_scale))
            keys, values = (torch.cat(pair, -2) for pair in zip(before, block))
            reads = [self.attend(state_q, state_k, state_v, self.state.self_scale),
                     self.attend(state_q2, keys, values, self.state.token_scale)]
            c = self.state.update(c, torch.cat([r.transpose(1, 2).flatten(2) for r in reads], -1))
            before = block[:2]  # an unfinished block is the last: nobody reads what it made
        reads = own, torch.cat(other, -2)
        return self.out(torch.cat([r.transpose(1, 2).flatten(2) for r in reads], -1))


# ---- layers

class FeedForward(nn.Module):
    def __init__(self, d_model, inner):
        super().__init__()
        self.norm = nn.LayerNorm(d_model)  # before or after: the layer decides
        self.up = nn.Linear(d_model, inner)
        self.down = nn.Linear(inner, d_model)

    def forward(self, x):
        return self.down(functional.relu(self.up(x)))


class Layer(nn.Module):
    def __init__(self, cell, d_model, inner):
        super().__init__()
        self.norm, self.cell, self.ff = nn.LayerNorm(d_model), cell, FeedForward(d_model, inner)


class Prenorm(Layer):
    def forward(self, x):
        x = x + self.cell(self.norm(x))
        return x + self.ff(self.ff.norm(x))


class PrenormBare(nn.Module):
    """RMS norms, no biases."""

    def __init__(self, cell, d_model, inner):
        super().__init__()
        self.norm, self.cell, self.ff = RmsNorm(d_model), cell, nn.Module()
        self.ff.norm = RmsNorm(d_model)
        self.ff.up = nn.Linear(d_model, inner, bias=False)
        self.ff.down = nn.Linear(inner, d_model, bias=False)

    def forward(self, x):
        x = x + self.cell(self.norm(x))
        return x + self.ff.down(self.ff.up(self.ff.norm(x)).relu())


class Skipnorm(Layer):
    def forward(self, x):
        x = self.norm(x) + self.cell(x)
        return x + self.ff(self.ff.norm(x))


class Postnorm(Layer):
    def forward(self, x):
        x = self.norm(x + self.cell(x))
        return self.ff.norm(x + self.ff(x))


class GruGate(nn.Module):
    """The step of a GRU whose state is the residual stream x, whose input the branch y."""

    def __init__(self, d_model):
        super().__init__()
        self.input = nn.Parameter(torch.zeros(d_model, 3 * d_model))  # r, z, c
        self.recurrent = nn.Parameter(torch.zeros(d_model, 2 * d_model))  # r, z
        self.candidate = nn.Parameter(torch.zeros(d_model, d_model))
        self.bias = nn.Parameter(torch.full((d_model,), 2.0))

    def forward(self, x, y):
        y_r, y_z, y_c = (y @ self.input).chunk(3, -1)
        x_r, x_z = (x @ self.recurrent).chunk(2, -1)
        r, z = torch.sigmoid(y_r + x_r), torch.sigmoid(y_z + x_z - self.bias)
        return torch.lerp(x, torch.tanh(y_c + (r * x) @ self.candidate), z)


class GatedStream(nn.Module):
    """Gates in place of residuals; the cell reads the stream itself."""

    def __init__(self, cell, d_model, inner):
        super().__init__()
        self.cell, self.gate, self.ff = cell, GruGate(d_model), FeedForward(d_model, inner)
        self.ff.norm = nn.LayerNorm(d_model, eps=1e-6)
        self.ff.gate = GruGate(d_model)

    def read(self, x):
        return self.cell(x)

    def forward(self, x):
        u = self.gate(x, self.read(x).relu())
        return self.ff.gate(u, self.ff(self.ff.norm(u)).relu())


class GatedNorm(GatedStream):
    def __init__(self, cell, d_model, inner):
        super().__init__(cell, d_model, inner)
        self.norm = nn.LayerNorm(d_model, eps=1e-6)

    def read(self, x):
        return self.cell(self.norm(x))


def plain(cell, _d_model, _inner):
    return cell


# ---- models

CELLS = {
    "lstm": (Lstm, plain),
    "elstm": (Elstm, plain),
    "gru": (Gru, plain),
    "elman": (Elman, plain),
    "transformer": (Attention, Postnorm),
    "transformer_preln": (BareAttention, Prenorm),
    "aaren": (Aaren, Postnorm),
    "linear": (Linear, Prenorm),
    "deltanet": (DeltaNet, Prenorm),
    "delta_rnn": (DeltaRnn, Prenorm),
    "delta_lstm": (DeltaLstm, Prenorm),
    "delta_mlp": (DeltaMlp, Prenorm),
    "rdn": (Rdn, Prenorm),
    "srwm": (Srwm, Skipnorm),
    "gtrxl": (Gtrxl, GatedStream),
    "galite": (Galite, GatedNorm),
    "agalite": (Agalite, GatedNorm),
    "transformer_xl": (SlidingWindow, PrenormBare),
    "sliding_window": (SlidingWindow, PrenormBare),
    "block_recurrent": (BlockRecurrent, PrenormBare),
}
TOP_NORMS = {Postnorm: nn.LayerNorm, PrenormBare: RmsNorm}


def sizes(cell):
    """{option: default} of those that the peer of a cell takes."""
    return getattr(CELLS[cell][0], "sizes", {})


def make_cells(cell, layers, d_model, heads, options):
    """One for each layer: block_recurrent is one among layers that are sliding_window, the third from the top."""
    make_cell = CELLS[cell][0]
    made = [make_cell(d_model, heads, **options) for _ in range(layers)]
    if make_cell is BlockRecurrent:
        window = made[0].window
        made = [one if number == max(layers - 3, 0) else SlidingWindow(d_model, heads, window)
                for number, one in enumerate(made)]
    return made


class SequenceModel(nn.Module):
    """Tokens (B, T) -> logits (B, T, V)."""

    def __init__(self, blocks, top_norm, vocabulary_in, vocabulary_out, d_model):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_in, d_model)
        self.block = nn.ModuleList(blocks)
        self.norm = top_norm(d_model)
        self.head = nn.Linear(d_model, vocabulary_out)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.block:
            x = block(x)
        return self.head(self.norm(x))


def build(cell, vocabulary_in, vocabulary_out, d_model, layers, heads, ff, **options):
    make_cell, layer = CELLS[cell]
    made = make_cells(cell, layers, d_model, heads, options)
    blocks = [layer(one, d_model, ff * d_model) for one in made]
    model = SequenceModel(blocks, TOP_NORMS.get(layer, nn.Identity), vocabulary_in, vocabulary_out, d_model)
    if hasattr(make_cell, "shared"):  # parameters of all layers, named after the cell
        shared = make_cell.shared(heads)
        model.add_module(cell, shared)
        for one in made:
            one.share(shared)
    return model
