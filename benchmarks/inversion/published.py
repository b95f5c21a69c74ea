"""What others have published, with its set-up: data to lay beside ours, no ranking."""

from __future__ import annotations

# Yao et al. 2022, Table 1: the first 1000 faces of CelebA-HQ, 1024 px StyleGAN2; SSIM, PSNR, MSE (-1..1), LPIPS,
# identity (ArcFace), FID (Inception).
CELEBA_HQ = {
    "IDGI (In-Domain inversion)": (0.554, 22.06, 0.034, 0.136, 0.480, 36.83),
    "pSp": (0.509, 20.37, 0.040, 0.159, 0.654, 34.68),
    "e4e": (0.479, 19.17, 0.052, 0.196, 0.593, 36.72),
    "restyle": (0.537, 21.14, 0.034, 0.130, 0.735, 32.56),
    "HFGI": (0.595, 22.07, 0.027, 0.117, 0.758, 26.53),
    "FSE": (0.641, 23.65, 0.019, 0.066, 0.867, 19.03),
}
# Zhu et al. 2020, Table 1, faces, StyleGAN of FFHQ; seconds, FID, MSE.
IN_DOMAIN = {
    "traditional encoder": (0.008, 88.48, 0.507),
    "optimisation of MSE": (290.0, 58.04, 0.026),
    "domain-guided encoder": (0.017, 52.85, 0.062),
    "In-Domain inversion": (8.0, 42.64, 0.030),
}
