/**
 * Lines of a shell script of root's that give its mount namespace a /dev/null of its own, beneath /run:
 * crun gives the standard streams of a container to the container's user (as crun 1.8 and runc 1.1
 * do), and an engine opens them there.
 */
export const OWN_NULL = `
  mkdir /run/devices
  mount -t tmpfs -o mode=755 none /run/devices
  mknod -m 666 /run/devices/null c 1 3
  mount --bind /run/devices/null /dev/null
`;
