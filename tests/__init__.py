"""The tests. What the harness asserts says what was wrong, too, as a test's own assertions do."""

import pytest

pytest.register_assert_rewrite("tests.harness")
