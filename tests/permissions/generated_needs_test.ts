/**
 * Every step with each of its options, made from the schemas: what its calls do to the host is
 * compared with what it needs. That the calls of a plan are those that run is tested with strace(1)
 * in one_lowering_test.ts.
 */

import { assert, assertEquals } from "@std/assert";
import * as steps from "../../mod.ts";
import {
  type HostAccess,
  type Recipe,
  recipe,
  RecipeError,
  type Step,
  unshare,
} from "../../mod.ts";
import { STEP_SCHEMAS } from "../../recipe/steps.ts";
import { isWithin } from "../../recipe/path.ts";
import { inDirectory, root, test } from "../support.ts";

/** The name of a step and of a field of it. */
type Field = `${string}.${string}`;

/**
 * Fields by which a path of the host can be named, and nothing of the host is read or changed: the
 * container's own mount is put over it, or it is a text.
 */
const PLACES: ReadonlySet<Field> = new Set<Field>([
  "bind.target",
  "chdir.path",
  "devices.target",
  "landlock.execute",
  "landlock.public",
  "landlock.read",
  "landlock.write",
  "maskPaths.paths",
  "mount.target",
  "mqueue.target",
  "overlay.target",
  "proc.target",
  "propagation.target",
  "readonlyPaths.paths",
  "symlink.target",
  "sysfs.target",
  "tmpfs.target",
  "domainname.name",
  "hostname.name",
  "mount.options",
  "mqueue.options",
  "proc.options",
  "remount.options",
  "setEnv.variables",
  "sysfs.options",
  "tmpfs.options",
  "writeFile.text",
]);

/** All namespaces but that of users, and a root to come. */
const NAMESPACES = ["mount", "pid", "uts", "ipc", "net", "cgroup", "time"] as const;
const ROOT = [steps.tmpfs("/mnt"), steps.mkdir("/mnt/x")] as const;

/** Steps after them, with which a recipe needs nothing else. */
const CLOSED: readonly Step[] = [
  steps.pivotRoot("/mnt"),
  steps.newSession(),
  steps.init(),
  unshare("user"),
  steps.capabilities({ keep: [] }),
  steps.seccomp(),
];

/** Steps before the generated one, and calls by which it reaches the host beside files. */
interface Ground {
  /** The steps that are generated; the default is all. */
  readonly only?: readonly string[];
  readonly before: Recipe;
  readonly after: readonly Step[];
  /** The needs, of which a step that makes the call has to have one. */
  readonly reaching: Readonly<Record<string, readonly HostAccess["kind"][]>>;
}

const JOINING = { setns: ["join", "net"], pidfd_open: ["join", "net"] } as const;

const GROUNDS: readonly Ground[] = [
  {
    before: recipe(unshare("user", ...NAMESPACES), steps.mapRoot(), ...ROOT),
    after: CLOSED,
    reaching: JOINING,
  },
  {
    only: ["mapCurrentUser", "mapIds", "mapRoot"],
    before: recipe(unshare("user", ...NAMESPACES)),
    after: [...ROOT, ...CLOSED],
    reaching: JOINING,
  },
  {
    // The steps run as the caller in the host's user namespace, and the program does not.
    before: recipe(unshare(...NAMESPACES), ...ROOT),
    after: CLOSED,
    reaching: {
      ...JOINING,
      setresuid: ["identity", "join"],
      setresgid: ["identity", "join"],
      setgroups: ["identity", "join"],
      ...(root && { prlimit64: ["privilege"] }),
    },
  },
];

const RANGE = { inside: 0, outside: 100_000, count: 7 };

/** Values for fields; those that a field's schema takes are tried. */
function valuesIn(directory: string): readonly unknown[] {
  return [
    "/mnt/x",
    directory,
    "x",
    "lo",
    "0-1",
    "10.7.0.1/8",
    "10.7.0.2",
    "tmpfs",
    "cgroup2",
    "10m",
    "ro",
    ...[null, true, false, 7, Deno.pid],
    ...[[directory], ["user"], ["uts"], ["CAP_CHOWN"], ["/bin/true"], [7]],
    ...[{ A: directory }, { "net.ipv4.ip_forward": 1 }, { pids: 7 }],
    [RANGE],
    { uids: [RANGE], gids: [RANGE] },
  ];
}

/** The steps of a kind: each required field with each value, and each other field beside that. */
function* variants(name: string, pool: readonly unknown[]): Iterable<Record<string, unknown>> {
  const fields = Object.entries(STEP_SCHEMAS.get(name)!.fields).map(([field, schema]) => {
    const { enum: words = [] } = schema.jsonSchema() as { readonly enum?: readonly unknown[] };
    const values = [...words, ...pool].filter((value) => schema.issue(value) === undefined);
    return { field, optional: schema.optional, values };
  });
  const required = fields.filter(({ optional }) => !optional);
  const first = {
    step: name,
    ...Object.fromEntries(required.map((one) => [one.field, one.values[0]])),
  };
  const each = (step: Record<string, unknown>, which: typeof fields) =>
    which.flatMap(({ field, values }) => values.map((value) => ({ ...step, [field]: value })));
  for (const step of [first, ...each(first, required)]) {
    yield step;
    yield* each(step, fields.filter(({ optional }) => optional));
  }
}

/** What a plan does and needs. */
interface Planned {
  readonly calls: readonly string[];
  readonly needs: readonly HostAccess[];
}

/** Returns the plan with a step; `undefined` if it is refused. */
function planned({ before, after }: Ground, step: unknown): Planned | undefined {
  try {
    const box: Recipe = before.with(step as Step, ...after);
    const calls = box.plan().entries.filter(({ by }) => by === "container").map(({ call }) => call);
    return { calls, needs: box.needs() };
  } catch (error) {
    if (error instanceof RecipeError || error instanceof steps.SyscallError) return undefined;
    if (error instanceof steps.UnsupportedError) return undefined;
    throw error;
  }
}

const counts = (calls: readonly string[], name: string) =>
  calls.filter((call) => call.startsWith(`${name}(`)).length;

test(
  "no step reaches the host without a need, with any of its options",
  inDirectory((directory) => {
    const pool = valuesIn(directory);
    const [seen, used] = [new Set<string>(), new Set<string>()];
    for (const ground of GROUNDS) {
      // Without ids no second user namespace can be made.
      const harmless = ground.only === undefined ? steps.umask(0o22) : steps.mapCurrentUser();
      const plain = planned(ground, harmless)!;
      assertEquals(plain.needs, []);
      for (const name of ground.only ?? STEP_SCHEMAS.keys()) {
        for (const step of variants(name, pool)) {
          const found = planned(ground, step);
          if (found === undefined) continue;
          seen.add(name);
          const text = `${JSON.stringify(step)} needs ${JSON.stringify(found.needs)}`;
          const fields = fieldsWith(directory, step);
          fields.forEach((field) => used.add(field));
          if (fields.some((field) => !PLACES.has(field)) && namesFile(directory, step, found)) {
            assert(found.needs.some((need) => covers(need, directory)), text);
          }
          for (const [call, kinds] of Object.entries(ground.reaching)) {
            const isMade = counts(found.calls, call) > counts(plain.calls, call);
            // This limit is set last, in the program's own user namespace.
            if (!isMade || step["resource"] === "nofile") continue;
            assert(
              found.needs.some(({ kind }) => kinds.includes(kind)),
              `${text}, and has ${call}`,
            );
          }
        }
      }
    }
    assertEquals(
      [...STEP_SCHEMAS.keys()].filter((name) => !seen.has(name) && !REFUSED.includes(name)),
      [],
    );
    assertEquals([...PLACES].filter((field) => !used.has(field)), []);
  }),
);

/** Steps that are refused: there is an init already, or an ordinary user may not do it. */
const REFUSED = ["init", ...(root ? [] : ["limits", "macvlan", "moveInterface", "veth"])];

/** The fields of a step in whose values the directory is named. */
function fieldsWith(directory: string, step: Readonly<Record<string, unknown>>): readonly Field[] {
  return Object.keys(step).filter((field) => JSON.stringify(step[field]).includes(directory))
    .map((field): Field => `${step["step"]}.${field}`);
}

/** Whether a call of the step names the directory as a file. */
function namesFile(
  directory: string,
  { step, type }: Readonly<Record<string, unknown>>,
  { calls }: Planned,
): boolean {
  // The source of a filesystem without a device is only its name.
  if (step === "mount" && ["tmpfs", "cgroup2"].includes(type as string)) return false;
  return calls.some((call) => call.includes(directory));
}

/** Whether an access includes that to the directory, or to everything. */
function covers(need: HostAccess, directory: string): boolean {
  return need.kind === "device" || need.kind === "join" ||
    ("path" in need && isWithin(directory, need.path));
}
