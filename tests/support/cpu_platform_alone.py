"""The CPU platform without the rest of the plugin: for a run of verl as it is where the plugin is not installed.

verl imports it in every process, where VERL_USE_EXTERNAL_MODULES names it. Without an accelerator verl has no platform.
"""

from recipe.edge_grpo import cpu
from recipe.edge_grpo.verl_patches import accelerator

cpu.register()
accelerator.register()
