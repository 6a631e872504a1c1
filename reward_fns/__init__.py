"""Rewards for mathematics: the last box of a response, compared with the expected answer.

- `extraction`: finds the last box in a response
- `equivalence`: decides without a computer algebra system where it can
- `verifier_process`, `verifier_child`: math-verify in a child process that can be killed
- `math_reward`: `compute_score` for verl and its blocking twin `grade`
"""
