/**
 * The hooks of files: programs of the vendor that an engine would run. None is run; what the usual ones
 * do is done, where there is something to do in a sandbox that shows this machine's files.
 *
 * @module
 */

import { isWithin, normalize } from "../recipe/path.ts";
import { quoted } from "../recipe/shown.ts";
import type { Field } from "./fields.ts";

/** What a hook does. */
export interface HookWork {
  /** Links that are made. */
  readonly links: readonly { readonly target: string; readonly path: string }[];
  /** Directories in which libraries are looked for. */
  readonly folders: readonly string[];
}

/** The programs whose hooks are known. */
const PROGRAMS = ["nvidia-ctk", "nvidia-cdi-hook"];

/**
 * Hooks of which nothing is left to do: libraries have their short names on this machine, and fit its
 * driver, and a program in a sandbox can make no device files.
 */
const NOTHING_TO_DO = [
  "create-soname-symlinks",
  "enable-cuda-compat",
  "disable-device-node-modification",
];

/** Returns what a hook does, or refuses it. */
export function hookOf(hook: Field): HookWork {
  const { hookName, path, args, timeout, env } = hook.fields(
    "hookName",
    "path",
    "args",
    "env",
    "timeout",
  );
  env.items().forEach((variable) => variable.text());
  timeout.optionalNumber();
  const program = path.path();
  const words = args.items().map((word) => word.text());
  const [, ...given] = words;
  const [name = "", ...flags] = given[0] === "hook" ? given.slice(1) : given;
  const isKnown = hookName.text() === "createContainer" &&
    PROGRAMS.includes(program.slice(program.lastIndexOf("/") + 1));
  const values = (flag: string) => flagValues(flags, flag, args);
  if (isKnown && NOTHING_TO_DO.includes(name)) return { links: [], folders: [] };
  if (isKnown && name === "create-symlinks") {
    return { links: values("link").map((link) => linkOf(link, args)), folders: [] };
  }
  if (isKnown && name === "update-ldcache") {
    return { links: [], folders: values("folder").map(normalize) };
  }
  if (isKnown && name === "chmod") {
    const [mode = ""] = values("mode");
    // Directories in the /dev of a sandbox have this mode; all else has its own on this machine.
    const other = values("path").find((path) => isWithin(normalize(path), "/dev"));
    if (other !== undefined && !/^0?755$/.test(mode)) {
      args.refuse(`the mode of ${other} cannot be ${quoted(mode)}, but 755`);
    }
    return { links: [], folders: [] };
  }
  return hook.refuse(
    `no program runs for a sandbox: the ${hookName.text()} hook ${program} ${
      given.join(" ")
    } is not known`,
  );
}

/** The flags of hooks, of which the last two make no difference here. */
const FLAGS = ["link", "folder", "mode", "path", "ldconfig-path", "container-spec"];

/** Returns the values of a flag, `--flag VALUE` or `--flag=VALUE`. */
function flagValues(words: readonly string[], wanted: string, args: Field): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const [, name = "", value = words[++at]] = /^--?([a-z-]+)(?:=(.*))?$/s.exec(words[at]!) ?? [];
    if (!FLAGS.includes(name) || value === undefined) {
      args.refuse(`${quoted(words.join(" "))} has a flag that is not known`);
    }
    if (name === wanted) values.push(value);
  }
  return values;
}

function linkOf(link: string, args: Field): { target: string; path: string } {
  const [target = "", path = "", ...more] = link.split("::");
  if (target === "" || !path.startsWith("/") || path.split("/").includes("..") || more.length > 0) {
    args.refuse(`${quoted(link)} is not of the form TARGET::/PATH`);
  }
  return { target, path: normalize(path) };
}
