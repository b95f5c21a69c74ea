"""What random faces of a generator look like as a set: distance to the training faces, density and coverage."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.metrics.coverage import density_coverage
from vidinv.metrics.frechet import frechet_distance
from vidinv.models.generator import Generator
from vidinv.runtime.compute import Compute
from vidinv.training.adversarial import samples
from vidinv.training.frechet import squeeze_features
from vidinv.training.teachers import Teachers


@torch.inference_mode()
def features(teachers: Teachers, pictures: Tensor, compute: Compute) -> NDArray:
    """Squeezenet features [N, 512] of pictures [N, 3, S, S], wherever those are."""
    return np.concatenate([squeeze_features(teachers, part.to(compute.device)) for part in pictures.split(256)])


def sample_figures(generator: Generator, real: NDArray, teachers: Teachers, compute: Compute) -> dict[str, float]:
    """Fréchet distance, density and coverage of as many samples as there are real features [N, 512].

    All three are on squeezenet features: comparable among our own runs of the same N, and with nothing else.
    """
    fake = features(teachers, samples(generator, len(real), compute), compute)
    return {"frechet_squeeze": frechet_distance(real, fake), **density_coverage(real, fake)}
