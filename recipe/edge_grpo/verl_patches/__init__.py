"""Every patch of verl, Ray and torch, one file each; plugin.py and run/ say when they are applied.

activation.py         no patch: how the processes of a run of ours learn that the patches act there
config_validation.py  verl: our checks run between composing a configuration and starting Ray
file_logger.py        verl: a resumed run keeps the metrics of its earlier steps
remote_code.py        verl: the reward worker runs the code of a tokenizer only where the user trusts it
weight_sockets.py     verl: two runs on one machine do not get each other's weights
loopback.py           Ray and torch: a run on one machine listens on the loopback interface only
ray_sigterm.py        Ray: SIGTERM asks the run to stop
server_handles.py     Ray: what only calls vLLM's server does not import vLLM; only where VERL_PLATFORM=cpu
accelerator.py        verl: the places that assume an accelerator; only where VERL_PLATFORM=cpu

Each docstring says what is lacking, what is replaced, in which runs the patch is active and when it may go; its test
in tests/edge_grpo/verl_patches fails when verl changes there. May import cpu and data_prep, nothing else of ours.
"""
