import numpy as np
class NearestRows:
    def __init__(self, operator, bias=None):
        self.operator, self.bias = operator, bias
    def __call__(self, x, parallel=False):
        s = self.bias[:, None].astype(x.dtype) - 2 * (self.operator @ np.ascontiguousarray(x.T))
        return s.argmin(0).astype(np.int32), s.min(0)
