"""Coefficients of the judge: written by benchmarks/matching/train_judge.py, reviewed, not edited by hand."""

from __future__ import annotations

# 291 candidate pairs of 186 development plans
BIAS = -5.221
WEIGHTS = {
    "name_alike": 1.135,
    "name_agree": 0.970,
    "name_differ": 0.543,
    "name_same": 0.767,
    "name_weight": 1.650,
    "figure_agree": -0.057,
    "figure_differ": -1.661,
    "address_alike": 1.693,
    "address_known": 0.766,
    "house_agree": 0.013,
    "house_differ": -0.688,
    "number_agree": 0.020,
    "number_differ": -0.696,
    "number_same": -0.209,
    "postcode_agree": 0.587,
    "postcode_differ": 0.136,
    "area_agree": 0.454,
    "area_differ": 0.269,
    "city_agree": 1.586,
    "city_differ": -1.449,
    "keys": 1.386,
}
