"""Which bundle a volume begins with."""

import pytest

from DeepIGeoSLib.bundles import bundle_for


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("FLAIR", "flair-whole-tumor"),
        ("6: ax T2 FLAIR fs", "flair-whole-tumor"),
        ("T2FLAIR_1", "flair-whole-tumor"),
        ("BraTS-GLI-00000-000-t2f", "flair-whole-tumor"),
        ("hippocampus_001", "t1-hippocampus"),
        ("CTChest", "any-structure"),
        ("MRBrainTumor1", "any-structure"),
        ("flairs", "any-structure"),
        ("T1", "any-structure"),
        ("", "any-structure"),
    ],
)
def test_a_special_bundle_is_for_volumes_of_its_name_and_any_structure_for_the_rest(name, expected):
    assert bundle_for(name) == expected
