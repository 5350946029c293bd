/**
 * The steps of `sandbox()`, as options of bwrap: the same mounts, in the same order.
 *
 * @module
 */

import type { Step } from "../mod.ts";

/** What bwrap does otherwise, for who reads the table. */
export const BWRAP_NOTES: readonly string[] = [
  "bwrap: the same namespaces, binds, tmpfs, masks and read-only paths, the same environment, an " +
  "init, a new session, no capabilities, no user namespaces within; but no seccomp filter, " +
  "as Deno.Command hands no descriptor to it, which is to bwrap's advantage. Its masks are binds of " +
  "/dev/null, and its read-only paths are binds of the host's /proc, as it has no others",
];

/**
 * Returns the options that make the same sandbox. Steps that stand for what bwrap does always, or
 * for a part of what one of its options does, have none of their own.
 */
export function bwrapOptions(steps: readonly Step[]): readonly string[] {
  const root = steps.find(({ step }) => step === "pivotRoot");
  const prefix = root?.step === "pivotRoot" ? root.path : "";
  const entered = root === undefined ? 0 : steps.indexOf(root);
  return [
    "--die-with-parent",
    ...steps.flatMap((step, index) => optionsOf(step, index < entered ? prefix : "")),
  ];
}

function optionsOf(step: Step, root: string): readonly string[] {
  const within = (target: string) => target.slice(root.length) || "/";
  switch (step.step) {
    case "unshare":
      // The second user namespace is that of --disable-userns; bwrap always makes a mount namespace.
      return step.kinds.filter((kind) => kind !== "mount").map((kind) => `--unshare-${kind}`);
    case "hostname":
      return ["--hostname", step.name];
    case "tmpfs": {
      // The root is a tmpfs with bwrap anyway.
      const target = within(step.target);
      const mode = step.mode === undefined ? [] : ["--perms", step.mode.toString(8)];
      return target === "/" ? [] : [...mode, "--tmpfs", target];
    }
    case "mkdir":
      return ["--dir", within(step.path)];
    case "symlink":
      return ["--symlink", step.target, within(step.path)];
    case "bind": {
      const option = step.readOnly === true ? "--ro-bind" : "--bind";
      if (step.entries !== undefined) {
        return step.entries.flatMap((entry) => found(step.source, entry.split("/"))).flatMap(
          (path) => [option, path, path],
        );
      }
      return [step.optional === true ? `${option}-try` : option, step.source, within(step.target)];
    }
    case "devices":
      // The /dev of bwrap has a directory there.
      return ["--dev", within(step.target), "--tmpfs", `${within(step.target)}/shm`];
    case "proc":
      return ["--proc", within(step.target)];
    case "remount":
      return ["--remount-ro", step.target];
    case "sysctl":
      return ["--disable-userns"];
    case "maskPaths":
      return step.paths.flatMap(maskOf);
    case "readonlyPaths":
      return step.paths.filter((path) => !COVERED.has(path))
        .flatMap((path) => ["--ro-bind-try", path, path]);
    case "newSession":
      return ["--new-session"];
    case "capabilities":
      return ["--cap-drop", "ALL"];
    case "clearEnv":
      return ["--clearenv"];
    case "setEnv":
      return Object.entries(step.variables).flatMap(([name, value]) => ["--setenv", name, value]);
    default:
      return [];
  }
}

/** Returns the files that an entry of a bind stands for, which has `*` for any text. */
function found(directory: string, [first, ...rest]: readonly string[]): readonly string[] {
  const parts = first!.split("*").map((part) => RegExp.escape(part));
  const whole = new RegExp(`^${parts.join(".*")}$`, "su");
  const names = isDirectory(directory) ? [...Deno.readDirSync(directory)] : [];
  const paths = names.filter(({ name }) => whole.test(name))
    .map(({ name }) => `${directory === "/" ? "" : directory}/${name}`);
  return rest.length === 0 ? paths : paths.flatMap((path) => found(path, rest));
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** What bwrap makes read-only whenever it mounts /proc. */
const COVERED: ReadonlySet<string> = new Set(["/proc/bus", "/proc/irq"]);

/** Hides a file or a directory; nothing, where the host has none. */
function maskOf(path: string): readonly string[] {
  try {
    return Deno.statSync(path).isDirectory ? ["--tmpfs", path] : ["--dev-bind", "/dev/null", path];
  } catch {
    return [];
  }
}
