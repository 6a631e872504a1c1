"""Mean entropy of the responses against the time that reading its two tensors once takes on the same device."""

import statistics
import time
from collections.abc import Callable

import torch
from measures import Row, ratios


def response_entropy_row(num_pairs: int, num_tokens: int = 4096) -> Row:
    """Float32 entropies and an int64 mask as verl's: 3 GiB on a GPU, a quarter of that on one core of a CPU."""
    from recipe.edge_grpo.advantage import mean_response_entropy

    device, num_responses = ("cuda", 65_536) if torch.cuda.is_available() else ("cpu", 16_384)
    seconds = seconds_of_gpu if device == "cuda" else seconds_of_one_core
    token_entropy = torch.rand(num_responses, num_tokens, device=device)
    response_length = torch.randint(1, num_tokens + 1, (num_responses, 1), device=device)
    response_mask = (torch.arange(num_tokens, device=device) < response_length).long()
    num_bytes = token_entropy.nbytes + response_mask.nbytes

    def read_once() -> None:
        token_entropy.sum()
        response_mask.sum()

    def mean_entropy() -> None:
        mean_response_entropy(token_entropy, response_mask)

    for call in (read_once, mean_entropy):
        seconds(call)  # Loads its kernels.
    pairs = [(seconds(mean_entropy), seconds(read_once)) for _ in range(num_pairs)]
    speed = num_bytes / statistics.median(pair[1] for pair in pairs) / 1e9
    what = f"mean entropy of {num_responses:,} responses of {num_tokens:,} tokens on {device} / their sum"
    return Row("Pure functions", what, ratios(pairs), detail=f"{num_bytes / 2**30:.2f} GiB, read at {speed:.0f} GB/s")


def seconds_of_gpu(call: Callable[[], None]) -> float:
    torch.cuda.synchronize()
    begin = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - begin


def seconds_of_one_core(call: Callable[[], None]) -> float:
    """CPU time of a single thread: other work on the machine lengthens wall time, and what threads wait for threads."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    begin = time.process_time()
    call()
    duration = time.process_time() - begin
    torch.set_num_threads(num_threads)
    return duration
