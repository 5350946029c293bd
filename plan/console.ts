/**
 * The terminal of a container's own /dev/pts that becomes its /dev/console, as the runtime
 * specification of the Open Container Initiative asks for it (config-linux.md, "Default Devices").
 *
 * @module
 */

import { type ResultOf, Struct } from "../ffi/call.ts";
import {
  fchown,
  ioctl,
  mknodat,
  O_CLOEXEC,
  O_NOCTTY,
  O_PATH,
  O_RDWR,
  S_IFREG,
  TIOCGPTPEER,
  TIOCSPTLCK,
} from "../ffi/calls/files.ts";
import type { PlanBuilder } from "./builder.ts";
import { copyTree } from "./copy_tree.ts";

/** Both sides of an open terminal. */
export interface ConsoleTerminal {
  readonly master: ResultOf;
  readonly slave: ResultOf;
}

/** fchown(2): the group stays that of terminals. */
const SAME = 0xffff_ffff;

/**
 * Opens a terminal beneath a later root, gives it to a user, and mounts it on /dev/console there. A
 * root that is read-only, and has no such file, has no console.
 */
export function openConsole(plan: PlanBuilder, root: string, owner: number): ConsoleTerminal {
  const ptmx = plan.path(`${root}/dev/ptmx`);
  const fixes = { ENOENT: "a terminal takes a devpts at /dev/pts" };
  const master = ptmx.open(O_RDWR | O_NOCTTY, { fixes });
  plan.call(ioctl(master, TIOCSPTLCK, new Struct(new Uint8Array(4), "&0")));
  const peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  const slave = plan.open(peer, "slave");
  plan.call(fchown(slave, owner, SAME));
  const tree = copyTree(plan, slave, 0, "the terminal");
  const target = plan.path(`${root}/dev/console`);
  target.inParent((directory, name) => {
    plan.call(mknodat(directory, name, S_IFREG | 0o600, 0), { accept: ["EEXIST", "EROFS"] });
  });
  plan.skippable("there is no /dev/console", (end) => {
    const place = target.open(O_PATH, { accept: ["ENOENT"], onAccepted: end });
    target.attachTo(place, tree, "the terminal");
    plan.release(place);
  });
  plan.release(tree);
  return { master, slave };
}
