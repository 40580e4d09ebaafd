#!/bin/sh
# Checks queue.pml with spin: every property over all states, and that each guard is missed where it is taken away.
# Needs spin and a C compiler (CC, gcc unless given). Exits with 1 if a property fails, if a change is not refuted,
# or if a search did not see every state.
#
#   sh docs/model/check.sh
set -u

model=$(cd "$(dirname "$0")" && pwd)/queue.pml || exit 1
cc=${CC:-gcc}
for tool in spin "$cc"; do
    command -v "$tool" > /dev/null || { echo "not ok - $tool is not installed"; exit 1; }
done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir" || exit 1
failed=0

# search MODEL_FLAGS KIND: KIND is states (assertions only), ends (every_job_ends), or fair (the same, weakly fair).
# Leaves what pan said in $dir/out.
search() {
    rm -f pan pan.* out ./*.trail
    times > before
    case $2 in
        states) flags=$1 build=-DSAFETY run= ;;
        ends) flags="$1 -DLIVENESS" build=-DNOFAIR run=-a ;;
        fair) flags="$1 -DLIVENESS" build= run='-a -f' ;;
    esac
    # The steps touch what others read too, so that partial order reduction would only cost time.
    # shellcheck disable=SC2086
    { spin -a $flags "$model" \
        && "$cc" -O2 -w -DNOREDUCE -DVECTORSZ=2048 -DMEMLIM=3900 $build -o pan pan.c \
        && ./pan -m10000 -w25 $run; } > out 2>&1
    times > after
}

# Whether pan saw every state, or stopped at the first violation: no depth, no memory and no bitstate cut it short.
exhaustive() {
    grep -q '^Full statespace search' out && grep -q 'errors: [0-9]' out \
        && ! grep -Eqi 'max search depth too small|out of memory|memory limit|MEMLIM|truncated|aborted' out
}

# The time is that of the processor, spin and the compiler included: a busy machine does not change it.
numbers() {
    awk '/states, stored/ { states = $1 }
         /depth reached/ { sub(",", "", $6); depth = $6 }
         /total actual memory usage/ { memory = $1 }
         FILENAME != "out" && FNR == 2 { split($1, part, /[ms]/); spent = 60 * part[1] + part[2] - spent }
         END { printf "%s states, depth %s, %.0f s, %.0f MB", states, depth, spent, memory }' out before after
}

# holds WHAT MODEL_FLAGS KIND
holds() {
    search "$2" "$3"
    if exhaustive && grep -q 'errors: 0' out && ! grep -q 'Search not completed' out; then
        echo "ok - $1: $(numbers)"
    else
        failed=1
        echo "not ok - $1"
        tail -n 40 out
    fi
}

# refuted WHAT MODEL_FLAGS KIND VIOLATED: VIOLATED is the assertion's name, or cycle.
refuted() {
    case $4 in
        cycle) sign='acceptance cycle' ;;
        *) sign="assertion violated *!($4)" ;;
    esac
    search "$2" "$3"
    if exhaustive && grep -q 'errors: 1' out && grep -q "$sign" out; then
        echo "ok - $1 is refuted by $4: $(numbers)"
    else
        failed=1
        echo "not ok - $1 is not refuted by $4"
        tail -n 40 out
    fi
}

holds "nothing bad, 2 jobs, 2 faults" "-DFAULTS=2" states
holds "every job ends, 2 jobs, 2 faults" "-DFAULTS=2" ends
holds "every job ends, 2 jobs, 1 fault, weak fairness" "-DFAULTS=1" fair
holds "nothing bad, 1 job, 3 faults" "-DFAULTS=3 -DJOBS=1" states
holds "every job ends, 1 job, 3 faults" "-DFAULTS=3 -DJOBS=1" ends
holds "nothing bad, 1 job, 1 fault, retry_job" "-DFAULTS=1 -DJOBS=1 -DRETRY" states
holds "every job ends, 1 job, 1 fault, retry_job, weak fairness" "-DFAULTS=1 -DJOBS=1 -DRETRY" fair

one="-DFAULTS=1 -DJOBS=1"
refuted UNFENCED "$one -DUNFENCED" states finished_by_another
refuted ANY_ATTEMPT "$one -DANY_ATTEMPT" states finished_by_another
refuted ANY_STATUS "$one -DANY_STATUS" states ended_twice
refuted STRICT "$one -DSTRICT" states lost_file
refuted DISCARD "$one -DDISCARD" states lost_file
refuted REVIVE "$one -DREVIVE" states works_unheld
refuted RUN_ON "$one -DRUN_ON" states works_unheld
refuted BLIND "$one -DBLIND" states works_unheld
refuted FORGET "$one -DFORGET" ends cycle
refuted SPLIT_RESCUE "$one -DSPLIT_RESCUE" states works_unheld
refuted STALE_CANCEL "-DFAULTS=0 -DJOBS=1 -DRETRY -DSTALE_CANCEL" states cancelled_unasked
refuted LATE_HAND_BACK "$one -DLATE_HAND_BACK" states works_unheld

exit $failed
