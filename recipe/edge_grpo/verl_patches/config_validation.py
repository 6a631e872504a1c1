"""A patch of verl, in this one place: it has no hook between composing a configuration and starting Ray.

Its own `validate_config`, which the driver calls there, is made to run our checks as well.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

Check = Callable[[Any], None]


def check_after_validate_config(config_module: ModuleType, find_check: Callable[[], Check]) -> None:
    """Make `verl.utils.config.validate_config` run a check after its own.

    Args:
        config_module: the module `verl.utils.config`, just imported.
        find_check: returns the check; called late, so that importing verl stays cheap.
    """
    validate_config = config_module.validate_config

    @functools.wraps(validate_config)
    def validate_config_and_check(config: Any, *args: Any, **kwargs: Any) -> None:
        validate_config(config, *args, **kwargs)
        find_check()(config)

    config_module.validate_config = validate_config_and_check
