/**
 * What each step is in a unit of systemd: a directive where that says the same, and else a part of the
 * box that the unit runs. A step that has no line here does not compile.
 *
 * @module
 */

import type { Step, StepOf } from "../../recipe/steps.ts";
import { type Directive, limitDirectives } from "../limit_directives.ts";

/** What a step is: directives, in the place of the step or beside it, or a refusal. */
export interface UnitPart {
  readonly directives?: readonly Directive[];
  /** Whether the box does the step. */
  readonly inBox: boolean;
  readonly refused?: string;
}

type Part<Name extends Step["step"]> = (step: StepOf<Name>) => UnitPart;

const box = (): UnitPart => ({ inBox: true });

const refused = (why: string) => (): UnitPart => ({ inBox: false, refused: why });

const PARTS: { readonly [Name in Step["step"]]: Part<Name> } = {
  address: box,
  bind: box,
  bounds: ({ timeout }) =>
    timeout === undefined || timeout === "unlimited" ? { inBox: true } : {
      inBox: false,
      refused: '"timeout" is the unit\'s: leave it out, and add RuntimeMaxSec= to the unit',
    },
  bridge: box,
  capabilities: box,
  chdir: box,
  chroot: box,
  clearEnv: box,
  cpuAffinity: box,
  denyFiles: box,
  devices: box,
  dieWithParent: box,
  disableUserNamespaces: box,
  domainname: box,
  dummy: box,
  hostname: box,
  init: box,
  ioPriority: box,
  join: box,
  joinCgroup: refused("the control group of a service is systemd's; Slice= chooses where it is"),
  landlock: box,
  limits: (limits) => {
    const said = limitDirectives(limits);
    return typeof said === "string"
      ? { inBox: false, refused: said }
      : { inBox: false, directives: said };
  },
  loopback: box,
  macvlan: box,
  mapCurrentUser: box,
  mapIds: box,
  mapRoot: box,
  maskPaths: box,
  masquerade: box,
  memoryPolicy: box,
  mkdir: box,
  mknod: box,
  // What shows its control groups makes some: systemd leaves them alone if they are delegated.
  mount: ({ type }) => ({
    inBox: true,
    ...(type.startsWith("cgroup") && { directives: [["Delegate", "yes"]] }),
  }),
  moveInterface: box,
  mqueue: box,
  newSession: box,
  noNewPrivileges: box,
  oomScoreAdj: box,
  overlay: box,
  personality: box,
  pivotRoot: box,
  proc: box,
  programs: box,
  propagation: box,
  protect: box,
  proxy: box,
  publish: box,
  readonlyPaths: box,
  remount: box,
  rlimit: box,
  root: box,
  route: box,
  scheduler: box,
  seccomp: box,
  setEnv: box,
  setUser: box,
  symlink: box,
  sysctl: box,
  sysfs: box,
  timeOffset: box,
  tmpfs: box,
  umask: box,
  unmount: box,
  unshare: box,
  userNetwork: box,
  veth: box,
  writeFile: box,
};

/** Returns what a step is in a unit. */
export function partOf(step: Step): UnitPart {
  return (PARTS[step.step] as Part<Step["step"]>)(step);
}
