#!/bin/bash
# Runs a command where it can change nothing of this machine: in mount, pid, network, ipc, uts and
# cgroup namespaces of its own, with a control group of its own in every hierarchy that there is, an
# empty /run, and /etc and /var as overlays. All of it is gone at the end.
#
# laboratory.sh COMMAND ...
name=ramekin-laboratory-$$
groups=()

# The hierarchies: all of version 1, or that of version 2 alone.
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
  tops=(/sys/fs/cgroup)
else
  tops=()
  while read -r _ _ _ _ top _; do
    case $top in /sys/fs/cgroup/*) [ -e "$top/cgroup.controllers" ] || tops+=("$top") ;; esac
  done < <(grep ' - cgroup ' /proc/self/mountinfo)
fi

# The group that this process is in, so that what is accounted stays accounted there.
own() {
  local words
  words=$(grep " $1 " /proc/self/mountinfo | sed 's/.* - cgroup2\? [^ ]* //' | tr , '\n')
  while IFS=: read -r _ names path; do
    if [ -z "$names" ]; then
      [ "$1" != /sys/fs/cgroup ] || { echo "$path"; return; }
    elif grep -qxF -e "${names%%,*}" <<< "$words"; then
      echo "$path"; return
    fi
  done < /proc/self/cgroup
}

for top in "${tops[@]}"; do
  path=$(own "$top")
  group=$top${path%/}/$name
  mkdir "$group" 2> /dev/null || { group=$top/$name; mkdir "$group" || exit 1; }
  groups+=("$group")
  if [ -e "$group/cpuset.cpus" ] && [ ! -e "$group/cgroup.controllers" ]; then
    cat "${group%/*}/cpuset.cpus" > "$group/cpuset.cpus"
    cat "${group%/*}/cpuset.mems" > "$group/cpuset.mems"
    echo 1 > "$group/cgroup.clone_children"
  fi
done

inside() {
  set -e
  mount -t proc proc /proc
  # The hierarchies as they are seen from here.
  declare -A options
  for top in "$@"; do
    options[$top]=$(grep " $top " /proc/self/mountinfo | tail -1 | sed 's/.* - cgroup2\? [^ ]* //')
  done
  mount -t sysfs sysfs /sys
  if [ "$1" = /sys/fs/cgroup ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir /sys/fs/cgroup/first
    echo 0 > /sys/fs/cgroup/first/cgroup.procs
    for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
      echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true
    done
  else
    mount -t tmpfs -o mode=755 cgroups /sys/fs/cgroup
    for top in "$@"; do
      mkdir "$top"
      words=$(tr , '\n' <<< "${options[$top]}" | grep -vxE 'rw|ro|xattr|clone_children' | paste -sd,)
      case $words in *name=*) words=none,$words ;; esac
      mount -t cgroup -o "$words" cgroup "$top"
    done
  fi
  mount -t mqueue mqueue /dev/mqueue 2> /dev/null || true
  ip link set lo up
  hostname laboratory
  # As on a machine that has run for a while: the suite expects pids of five digits. It is the
  # setting of this pid namespace alone.
  echo 20000 > /proc/sys/kernel/ns_last_pid
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir /run/lock /run/user
  # Other runtimes give their streams to the container's user, /dev/null too.
  mkdir /run/laboratory
  mknod -m 666 /run/laboratory/null c 1 3
  mount --bind /run/laboratory/null /dev/null
  for directory in /etc /var/lib /var/cache /var/log /var/tmp; do
    layers=/run/laboratory$directory
    mkdir -p "$layers/upper" "$layers/work"
    chmod --reference="$directory" "$layers/upper"
    mount -t overlay -o "lowerdir=$directory,upperdir=$layers/upper,workdir=$layers/work" overlay \
      "$directory"
  done
  for directory in containers containerd cni docker; do
    mkdir -p "/var/lib/$directory"
    mount -t tmpfs -o mode=755 tmpfs "/var/lib/$directory"
  done
}
export -f inside

(
  for group in "${groups[@]}"; do echo "$BASHPID" > "$group/cgroup.procs" || exit 1; done
  # shellcheck disable=SC2016
  exec unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child \
    --propagation private -- bash -c '
      count=$1; shift
      inside "${@:1:count}" || exit 1
      set +e
      "${@:count + 1}" < /dev/null
      status=$?
      # What the freezer holds does not die, and would keep this namespace for ever.
      find /sys/fs/cgroup -name freezer.state -exec sh -c "echo THAWED > \$1" sh {} \; 2> /dev/null
      find /sys/fs/cgroup -name cgroup.freeze -exec sh -c "echo 0 > \$1" sh {} \; 2> /dev/null
      exit $status
    ' laboratory "${#tops[@]}" "${tops[@]}" "$@"
) &
trap 'kill -KILL $!' HUP INT TERM
wait $!
status=$?
for group in "${groups[@]}"; do
  for _ in 1 2 3 4 5; do
    find "$group" -depth -type d -exec rmdir {} \; 2> /dev/null
    [ -d "$group" ] || break
    sleep 0.3
  done
done
exit $status
