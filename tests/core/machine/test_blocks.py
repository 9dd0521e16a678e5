import numpy as np
import pytest

from sknn_scratch.core.machine.blocks import BLOCK, blocks


@pytest.mark.parametrize(
    "shape", [(1,), (BLOCK,), (BLOCK + 1,), (7, BLOCK // 3), (3, 2 * BLOCK), (5, 4, 3), (0, 3)]
)
def test_every_number_is_in_one_block_and_blocks_are_views(shape):
    first, second = np.zeros(shape), np.zeros(shape, np.float32)
    for part, other in blocks(first, second):
        assert part.shape == other.shape
        assert part.size <= BLOCK or len(part) == 1
        part += 1
        other += 2
    assert (first == 1).all()
    assert (second == 2).all()
