"""The ablations of the Feature-Style encoder (Yao et al. 2022, Table 4), all on the same faces."""
