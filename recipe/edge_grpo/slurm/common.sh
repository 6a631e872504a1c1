# shellcheck shell=bash
# What the batch scripts share; each sources it. Needs bash 4.4. They set `python` first.

[[ -n ${SLURM_JOB_ID:-} ]] || { echo "EDGE-GRPO: this is a batch script: sbatch SCRIPT [overrides]" >&2; exit 2; }

python=${python:?}
# What scontrol calls this job. One task of an array has the number of the whole array for its own.
job=$SLURM_JOB_ID
if [[ ${SLURM_ARRAY_JOB_ID:-} == "$job" ]]; then job=${job}_$SLURM_ARRAY_TASK_ID; fi
default_run_folder=runs/slurm-$SLURM_JOB_ID
stop_seconds=${EDGE_GRPO_STOP_SECONDS:-20}  # below Slurm's KillWait, 30 s by default
command_pid=''
ray_folder=''
watch_pid=''  # of what watches Ray's nodes while verl runs
is_requeue_wanted=''
is_ending=''
exit_code=0
nodes=()  # of train_multinode.sbatch
declare -A step_pids=()  # srun of each Ray node, by the node's name

say() { printf 'EDGE-GRPO: %s\n' "$*"; }
fail() { say "$@" >&2; exit 2; }

# A value that Hydra takes as it is, whatever it contains.
hydra_quoted() { printf "'%s'" "${1//\'/\\\'}"; }

# Prints the last value that the overrides give to the key $1, $2 where they give none.
override() {
  local key=$1 value=$2 argument
  shift 2
  for argument; do
    if [[ $argument =~ ^\+{0,2}"$key"=(.*)$ ]]; then value=${BASH_REMATCH[1]}; fi
  done
  printf '%s\n' "$value"
}

# Sets `run_folder` for a run with the overrides in "$@": EDGE_GRPO_RUN_DIR, or else $default_run_folder.
prepare_run() {
  [[ -z $(override trainer.default_local_dir '' "$@") ]] ||
    fail "set EDGE_GRPO_RUN_DIR instead of trainer.default_local_dir; the script has to know the run folder as well"
  run_folder=$(realpath -m -- "${EDGE_GRPO_RUN_DIR:-$default_run_folder}")
  mkdir -p -- "$run_folder" || fail "the run folder $run_folder cannot be made (EDGE_GRPO_RUN_DIR)"
  if [[ " $* " == *" +profile=cpu"* ]]; then export VERL_PLATFORM=${VERL_PLATFORM:-cpu}; fi
  rm -f -- "$run_folder/stop_requested"
  if [[ -n $is_requeue_wanted ]]; then ask_to_stop; fi
  say "job $SLURM_JOB_ID, start $((${SLURM_RESTART_COUNT:-0} + 1)), run folder $run_folder"
}

# Ray's sessions go to a folder of this job, so that Ray does not take the cluster of another job on this machine for its
# own. Short, because paths of sockets may have 107 characters only.
own_ray_folder() {
  ray_folder=${RAY_TMPDIR:-/tmp}/edge_grpo-$SLURM_JOB_ID
  (umask 077 && mkdir -p -- "$ray_folder")
  [[ -O $ray_folder ]] || fail "$ray_folder belongs to somebody else"
  export RAY_TMPDIR=$ray_folder
}

ask_to_stop() {
  if [[ -n ${run_folder:-} ]]; then touch -- "$run_folder/stop_requested"; fi
}

# Slurm's warning (--signal) before the time limit or, where the cluster says so, before preemption.
on_warning() {
  say "warned by Slurm: stopping after a checkpoint, then requeueing"
  is_requeue_wanted=yes
  ask_to_stop
}

# The job is being ended: scancel, time limit, preemption. Slurm itself requeues what it preempts.
on_end() {
  say "Slurm ends the job: stopping within $stop_seconds s"
  is_ending=yes
  ask_to_stop
  end_by=${end_by:-$((SECONDS + stop_seconds))}
}

# The command and Ray's nodes are ended, whatever happened. In a trap a bare `return` would give the status from before
# the trap: functions called here say `return 0`.
on_exit() {
  local status=$?
  trap '' USR1 TERM
  trap - EXIT
  end_command
  end_steps
  if ((status == 0)) || [[ -n $is_ending ]]; then
    remove_ray_folder
  elif [[ -n $ray_folder ]]; then
    say "Ray's own logs are in $ray_folder on each node" >&2
  fi
  exit "$status"
}

remove_ray_folder() {
  if [[ -z $ray_folder ]]; then return 0; fi
  rm -rf -- "$ray_folder"
  if ((${#nodes[@]} > 1)) && [[ -z $is_ending ]]; then
    srun --overlap --ntasks-per-node=1 rm -rf -- "$ray_folder" || true
  fi
  ray_folder=''
}

is_asked_to_end() { [[ -n $is_ending || -n $is_requeue_wanted ]]; }

is_running() { kill -0 "$1" 2>/dev/null; }

# Runs "$@" in the background such that none of its descendants outlives it.
start() {
  "$python" -m recipe.edge_grpo.slurm.process_tree "$@" &
  command_pid=$!
}

# Until the command has ended; `exit_code` is then its own, or 1 if Ray lost a node meanwhile.
wait_for_command() {
  local is_ray_whole=yes
  exit_code=0
  while is_running "$command_pid"; do
    if ! check_ray; then
      is_ray_whole=''
      end_tree "$command_pid"
    elif [[ -n $is_ending ]] && ((SECONDS >= end_by)); then
      end_tree "$command_pid"
    fi
    pause
  done
  wait "$command_pid" || exit_code=$?
  command_pid=''
  if [[ -z $is_ray_whole ]]; then exit_code=1; fi
}

# False, with a message, when a step with a Ray node has ended, or Ray has lost a node otherwise.
check_ray() {
  local name
  for name in "${!step_pids[@]}"; do
    if ! is_running "${step_pids[$name]}"; then
      say "the Ray node on $name has ended; its last lines, of $run_folder/ray-$name.log:" >&2
      tail -n 5 -- "$run_folder/ray-$name.log" >&2 || true
      unset "step_pids[$name]"
      return 1
    fi
  done
  if [[ -n $watch_pid ]] && ! is_running "$watch_pid"; then
    watch_pid=''
    say "Ray's cluster is no longer whole; ending the run" >&2
    return 1
  fi
}

# One second; unlike `sleep` alone, it lets a trap run at once.
pause() {
  sleep 1 &
  wait $! || true
}

# Ends the process_tree.py with the id $1, which ends its descendants within 8 s.
end_tree() {
  if [[ -z $1 ]]; then return 0; fi
  kill -TERM "$1" 2>/dev/null || true
  while is_running "$1"; do pause; done
}

end_command() {
  end_tree "$command_pid"
  command_pid=''
}

end_steps() {
  local name patience
  end_tree "$watch_pid"
  watch_pid=''
  patience=$((SECONDS + 15))
  # srun passes it on to the step, whose process_tree.py ends its descendants.
  for name in "${!step_pids[@]}"; do kill -USR2 "${step_pids[$name]}" 2>/dev/null || true; done
  for name in "${!step_pids[@]}"; do
    while is_running "${step_pids[$name]}" && ((SECONDS < patience)); do pause; done
    if is_running "${step_pids[$name]}"; then kill_srun "${step_pids[$name]}"; fi
    unset "step_pids[$name]"
  done
}

# Kills an srun that waits for a node which is gone, and the child that it has.
kill_srun() {
  local children=''
  read -r children <"/proc/$1/task/$1/children" || true
  disown "$1"  # bash would print that it was killed, with the whole command
  # shellcheck disable=SC2086  # a list of process ids
  kill -KILL "$1" $children 2>/dev/null || true
  pause
}

# A field of `scontrol show job` for this job.
job_field() {
  local record
  record=$(scontrol --oneliner show job "$job") || return 0
  if [[ $record =~ (^|\ )"$1"=([^ ]*) ]]; then printf '%s\n' "${BASH_REMATCH[2]}"; fi
}

# True in the grace period of a preemption. Slurm may tell job steps of it, Ray's nodes, and not this script.
is_preempted() { [[ $(job_field PreemptTime) == [0-9]* ]]; }

requeue() {
  say "requeueing job $job: $1"
  trap '' USR1 TERM  # requeueing ends this script as well
  end_command
  end_steps
  remove_ray_folder
  scontrol requeue "$job" || fail "job $job cannot be requeued; submit it again with the same run folder"
  exit 0
}

# Ends the script with the exit code of the run, or requeues the job where the run stopped for that.
finish_run() {
  if [[ -n $is_ending ]]; then
    say "ended by Slurm (exit code of the run: $exit_code)"
    exit $((exit_code == 0 ? 143 : exit_code))
  fi
  if ((exit_code == 0)) && [[ -n $is_requeue_wanted && -e $run_folder/stop_requested ]]; then
    requeue "it stopped at a checkpoint"
  fi
  if ((exit_code != 0)) && is_preempted; then requeue "it was preempted"; fi
  if ((exit_code == 0)); then say "the run is complete"; else say "the run failed with exit code $exit_code" >&2; fi
  exit "$exit_code"
}

# One run on this node, with Ray inside; "$@" are overrides.
train_here() {
  prepare_run "$@"
  own_ray_folder
  if ! is_asked_to_end; then
    start "$python" -m verl.trainer.main_ppo ${SLURM_GPUS_ON_NODE:+"trainer.n_gpus_per_node=$SLURM_GPUS_ON_NODE"} "$@" \
      "trainer.nnodes=1" "trainer.default_local_dir=$(hydra_quoted "$run_folder")"
    wait_for_command
  fi
  finish_run
}

# A command that goes on where it was when it is started again: before the time limit it is ended and requeued.
run_command() {
  trap 'on_warning; end_tree "$command_pid"' USR1
  start "$@"
  wait_for_command
  if ((exit_code != 0)) && [[ -n $is_requeue_wanted ]]; then requeue "it goes on where it was"; fi
  finish_run
}

trap on_warning USR1
trap on_end TERM
trap on_exit EXIT
