/**
 * The servers of names of a container whose network is forwarded. Where this machine's resolver
 * listens on a loopback address (systemd-resolved at 127.0.0.53), the container has none there: its
 * /etc/resolv.conf then names an address at which pasta or slirp4netns forwards to that one.
 *
 * @module
 */

import { type Fd, ResultOf } from "../../../ffi/call.ts";
import {
  close,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_WRONLY,
  openat,
  write,
} from "../../../ffi/calls/files.ts";
import { AF_INET } from "../../../ffi/calls/constants/sockets.ts";
import { parseIp } from "../../../ffi/netlink/ip.ts";
import { RESOLV_CONF } from "../../../host/resolver.ts";
import { isWithin, normalize } from "../../../recipe/path.ts";
import type { PlanBuilder } from "../../builder.ts";
import { DNS_FORWARDER } from "../../parent_work.ts";
import { copyOfFile, withMemoryFiles } from "../memory_files.ts";

/** Returns the servers if all of them are on loopback interfaces; none otherwise. */
export function loopbackServers(resolvConf: string): readonly string[] {
  const servers = [...resolvConf.matchAll(/^nameserver[ \t]+([^\s#;]+)/gm)].map(([, ip]) => ip!);
  return servers.every(isLoopback) ? servers : [];
}

function isLoopback(text: string): boolean {
  // A zone can follow an address: fe80::1%eth0.
  const ip = parseIp(text.replace(/%.*/, ""));
  if (ip === undefined) return false;
  const [first, ...rest] = ip.bytes;
  return ip.family === AF_INET
    ? first === 127
    : rest.at(-1) === 1 && [first, ...rest.slice(0, -1)].every((byte) => byte === 0);
}

/** Mounts a file over /etc/resolv.conf that names the forwarder, wherever the host's is shown. */
export function nameForwarder(plan: PlanBuilder, resolvConf: string): void {
  plan.access.recordRead(RESOLV_CONF);
  const text = forwardedConf(resolvConf);
  const make = (root: Fd) => {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    const file = new ResultOf(plan.call(openat(root, NAME, flags, 0o644)), "file");
    plan.call(write(file, text, text.length));
    plan.call(close(file));
  };
  const blocks = Math.ceil(text.length / 4096);
  withMemoryFiles(plan, { name: "files", blocks, inodes: 2, make }, (root) => {
    for (const target of placesOf(plan)) {
      plan.skippable(`${target} is missing`, (end) => {
        const accept = ["ENOENT", "ENOTDIR"] as const;
        const place = plan.path(target).open(O_PATH, { accept, onAccepted: end });
        const file = copyOfFile(plan, root, NAME);
        plan.path(target).attachTo(place, file, NAME);
        plan.release(file);
        plan.release(place);
      });
      plan.mounted({ target, type: "tmpfs", source: "none", readOnly: true, own: true });
    }
  });
}

const NAME = "resolv.conf";

/** Returns the same configuration with the forwarder as its server. */
function forwardedConf(resolvConf: string): Uint8Array<ArrayBuffer> {
  const kept = resolvConf.split("\n").filter((line) => /^(search|domain|options)[ \t]/.test(line));
  return new TextEncoder().encode([`nameserver ${DNS_FORWARDER}`, ...kept, ""].join("\n"));
}

/** Returns the paths of the container at which the host's file is. */
function placesOf(plan: PlanBuilder): readonly string[] {
  const { path, type } = plan.facts.resolve(RESOLV_CONF);
  if (type === undefined) return [];
  const { mounts } = plan.state;
  return mounts.visible().flatMap(({ origin, target }) => {
    if (origin === undefined || !isWithin(path, origin)) return [];
    const place = normalize(`${target}/${path.slice(origin.length)}`);
    return mounts.originOf(place).origin === path ? [place] : [];
  });
}
