#!/bin/sh
# Process 1 of the machine. It sets the first root up as systemd would, runs the suite as root and as
# nobody, each in a group of its own, prints their exit code, and powers off.

export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 NO_COLOR=1
# Tests do less, and wait longer.
export EMULATED=1

# pivot_root(2) and chroot(2) do not work from the first root; they do from a bind mount over it.
if [ "$1" != mounted ]; then
  mount -n --bind / /mnt
  cd /mnt
  mount -n --move . /
  exec chroot . /vm/init mounted
fi

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o nosuid,mode=755 devtmpfs /dev
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o nosuid,noexec,gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm
mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue
mount -t securityfs -o nosuid,nodev,noexec securityfs /sys/kernel/security
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs /run
mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate cgroup2 /sys/fs/cgroup
mount --make-rshared /
ln -s /proc/self/fd /dev/fd

hostname machine
ip link set lo up
ldconfig
ulimit -Hn 524288
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
echo /sbin/modprobe >/proc/sys/kernel/modprobe
if modprobe zram 2>/dev/null; then
  echo 256M >/sys/block/zram0/disksize
  mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
fi

# Makes a group with all controllers; its path is below /sys/fs/cgroup.
group() {
  path=/sys/fs/cgroup
  for name in $(echo "$1" | tr / ' '); do
    for controller in $(cat $path/cgroup.controllers); do
      echo "+$controller" >$path/cgroup.subtree_control
    done
    path=$path/$name
    mkdir -p $path
  done
}

# A service of the system for root; for nobody, what systemd delegates to a user's manager.
delegated=user.slice/user-65534.slice/user@65534.service
group system.slice/suite.service
group $delegated/app.slice/suite.scope
for path in $delegated $delegated/app.slice $delegated/app.slice/suite.scope; do
  for file in . cgroup.procs cgroup.threads cgroup.subtree_control; do
    chown 65534:65534 /sys/fs/cgroup/$path/$file
  done
done
chown -R 65534:65534 /home/nobody
chmod 1777 /tmp

as_root() {
  sh -c 'echo $$ >/sys/fs/cgroup/system.slice/suite.service/cgroup.procs; exec "$@"' sh "$@"
}

as_nobody() {
  sh -c 'echo $$ >/sys/fs/cgroup/$0/app.slice/suite.scope/cgroup.procs; exec "$@"' $delegated \
    setpriv --reuid=65534 --regid=65534 --clear-groups \
    env HOME=/home/nobody USER=nobody XDG_RUNTIME_DIR= "$@"
}

echo 0 >/run/code
if [ -e /vm/shell ]; then
  stty $(cat /vm/shell) </dev/console
  as_root setsid busybox cttyhack bash -l
else
  exec </dev/null
  for who in root nobody; do
    [ -e /vm/$who ] || continue
    echo "ramekin: the suite as $who, $(cut -d ' ' -f 1 /proc/uptime) seconds after the start"
    # Through a pipe: for a terminal, programs would add colours and redraw lines.
    { as_$who sh /vm/$who 2>&1 || echo $? >/run/code; } | cat
  done
  echo "ramekin: exit $(cat /run/code), $(cut -d ' ' -f 1 /proc/uptime) seconds after the start"
fi
sync
busybox poweroff -f
