"""Switches of numeric libraries that PyTorch uses; scripts set them, and here they change nothing.

Each library is a module, so that `import minigrad.backends.cudnn as cudnn` works. `is_available`
says no for all of them: NumPy brings its own BLAS library, and there is no GPU.
"""

from __future__ import annotations

from . import cuda as cuda
from . import cudnn as cudnn
from . import mkl as mkl
from . import mkldnn as mkldnn
from . import mps as mps
from . import openmp as openmp
