#!/usr/bin/env bash
# Who moves itself into a control group of version 1 waits for milliseconds, or not at all: that
# depends on the file that it writes "0" to.
#
# Versions: Linux 6.18.44, cgroup v1 (seen without the mount option favordynmods); bash 5.2.15 (Debian
# 12). Needs root and a hierarchy of version 1; elsewhere it says so, and tests nothing. No package is
# installed, as only the kernel is asked.
#
# A good guess: for a process of one thread, "0" written to cgroup.procs and to tasks is the same move,
# and costs the same; so the file that version 2 has too is the one to write to, as container runtimes do.
# No: cgroup.procs takes a lock of the whole machine that waits for a grace period of RCU, some
# milliseconds each time. The thread that moves itself by tasks needs no such lock. (Written with a pid
# in place of "0", tasks waits too.)
set -euo pipefail
hierarchy=$(awk '$3 == "cgroup" && $4 ~ /(^|,)pids(,|$)/ { print $2; exit }' /proc/mounts)
if [[ "$(id -u)" != 0 || -z "$hierarchy" ]]; then
  echo "not tested: uid $(id -u), no hierarchy of version 1 with the controller pids"; exit 0
fi
own=$hierarchy$(awk -F: '$2 ~ /(^|,)pids(,|$)/ { print $3 }' /proc/self/cgroup)
group=$own/finding-$$; mkdir "$group"
trap 'echo 0 > "$own/tasks"; rmdir "$group"' EXIT

moves() { # the file, what is written; prints the microseconds of the median of 21 moves
  for _ in {1..21}; do
    sleep 0.03
    before=${EPOCHREALTIME/./}; echo "$2" > "$group/$1"; after=${EPOCHREALTIME/./}
    echo $((after - before)); echo 0 > "$own/tasks"
  done | sort -n | sed -n 11p
}
procs=$(moves cgroup.procs 0); tasks=$(moves tasks 0)
# The pid of the subshell that writes is its own; that of this one is another's.
pid=$(moves tasks $$); echo 0 > "$own/tasks"
echo "microseconds: \"0\" to cgroup.procs $procs, \"0\" to tasks $tasks, a pid to tasks $pid"
(( procs > 5 * tasks && pid > 5 * tasks )) || { echo "the kernel has changed"; exit 1; }
echo "holds: only who writes \"0\" to tasks does not wait"
