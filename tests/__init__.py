"""The tests. A failed assertion of the harness shows its values, as a test's own assertions do."""

import pytest

pytest.register_assert_rewrite("tests.harness")
