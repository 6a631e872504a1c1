"""Rewards for mathematics: the last box of a response, compared with the expected answer.

- `math_reward`: `compute_score` for verl and its blocking twin `grade`
- `extraction`: finds the last box in a response
- `limits`, `costs`: what an answer may hold, and have a computer algebra system compute
- `equivalence`: decides without a computer algebra system where it can, by
  - `answer_text`, `written_numbers`: an answer without what carries no meaning, the number that it writes out
  - `answer_parts`, `structures`, `pairing`, `relations`, `words`: lists, tuples, matrices, inequalities, by their parts
  - `sampled`, `expression`, `latex_commands`, `scanner`, `values`: expressions by their values at two points
- `worker_pool`, `verifier_link`, `verifier_child`: math-verify in child processes that can be killed
"""
