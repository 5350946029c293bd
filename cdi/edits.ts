/**
 * What files change for their devices, as options of a sandbox.
 *
 * @module
 */

import { makedev, S_IFBLK, S_IFCHR, S_IFMT } from "../ffi/calls/files.ts";
import type { Statx } from "../ffi/calls/statx.ts";
import { normalize } from "../recipe/path.ts";
import { quoted } from "../recipe/shown.ts";
import type { SandboxBind, SandboxOptions } from "../recipe/sandbox.ts";
import { type FurtherDevice, furtherDevice } from "../recipe/steps/devices.ts";
import type { CdiParts } from "./devices.ts";
import type { Field } from "./fields.ts";
import { hookOf } from "./hooks.ts";
import { found, linkedFile } from "./links.ts";

/**
 * Options of a mount that every file of a sandbox has, or that make no difference in it. `ro` has one
 * that does not say `rw`.
 */
const MOUNT_OPTIONS = "ro rw bind rbind nosuid nodev exec private rprivate slave rslave".split(" ");

/** The edits of the devices that are asked for. */
export class Edits {
  readonly #devices = new Map<string, string>();
  readonly #read = new Set<string>();
  readonly #write = new Set<string>();
  readonly #bind = new Map<string, SandboxBind>();
  readonly #overlay = new Set<string>();
  readonly #variables = new Map<string, string>();
  readonly #folders = new Set<string>();

  /** Adds those of a `containerEdits`. */
  add(edits: Field): void {
    const { env, deviceNodes, mounts, hooks, additionalGids, intelRdt, netDevices } = edits.fields(
      "env",
      "deviceNodes",
      "mounts",
      "hooks",
      "additionalGids",
      "intelRdt",
      "netDevices",
    );
    env.items().forEach((variable) => this.#addVariable(variable));
    deviceNodes.items().forEach((node) => this.#addNode(node));
    mounts.items().forEach((mount) => this.#addMount(mount));
    hooks.items().forEach((hook) => this.#addHook(hook));
    for (const group of additionalGids.items()) {
      // The specification has 0 ignored.
      if (group.optionalNumber() === 0) continue;
      group.refuse("a sandbox can give no group that the caller does not have");
    }
    if (intelRdt.isThere) intelRdt.refuse("a sandbox has no class of service (resctrl)");
    for (const device of netDevices.items()) {
      device.refuse("a sandbox takes no network interface of this machine");
    }
  }

  /** Returns the options of a sandbox with these too. */
  partsWith(options: SandboxOptions): CdiParts {
    const { devices = [], read = [], write = [], bind = [], overlay = [], setEnv = {} } = options;
    const folders = [setEnv["LD_LIBRARY_PATH"], this.#variables.get("LD_LIBRARY_PATH")]
      .concat([...this.#folders]).filter((folder) => folder !== undefined && folder !== "");
    return {
      devices: [
        ...devices,
        ...this.#devices.entries().map(([name, source]): FurtherDevice =>
          name === source ? name : [source, name]
        ),
      ],
      read: [...read, ...this.#read],
      write: [...write, ...this.#write],
      bind: [...bind, ...this.#bind.values()],
      overlay: [...new Set([...overlay, ...this.#overlay])],
      setEnv: {
        ...Object.fromEntries(this.#variables),
        ...setEnv,
        ...(folders.length > 0 && { LD_LIBRARY_PATH: folders.join(":") }),
      },
    };
  }

  #addVariable(variable: Field): void {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(variable.text()) ?? [];
    if (name === undefined) variable.refuse("is not of the form NAME=VALUE");
    this.#variables.set(name, value!);
  }

  #addNode(node: Field): void {
    const fields = node.fields(
      "path",
      "hostPath",
      "type",
      "major",
      "minor",
      "fileMode",
      "permissions",
      "uid",
      "gid",
    );
    const name = normalize(fields.path.path());
    const source = fields.hostPath.optionalText() === undefined
      ? name
      : normalize(fields.hostPath.path());
    const status = found(source);
    if (status === undefined) node.refuse(`${source} does not exist; its driver may not be loaded`);
    checkNode(fields, source, status);
    const issue = furtherDevice().issue([source, name]);
    if (issue !== undefined) node.refuse(issue);
    this.#devices.set(name, source);
  }

  #addMount(mount: Field): void {
    const fields = mount.fields("hostPath", "containerPath", "type", "options");
    const type = fields.type.optionalText() ?? "none";
    if (!["none", "bind"].includes(type)) {
      fields.type.refuse(
        `a file of this machine is shown, and no filesystem ${quoted(type)} mounted`,
      );
    }
    const options = fields.options.items().map((option) => {
      const word = option.text();
      if (MOUNT_OPTIONS.includes(word)) return word;
      return option.refuse(`${quoted(word)} is not known of a mount in a sandbox`);
    });
    const [source, target] = [fields.hostPath.path(), fields.containerPath.path()].map(normalize);
    if (found(source!) === undefined) fields.hostPath.refuse(`${source} does not exist`);
    const isWritten = options.includes("rw") && !options.includes("ro");
    if (source === target) (isWritten ? this.#write : this.#read).add(target!);
    else this.#bind.set(target!, isWritten ? [source!, target!] : [source!, target!, "ro"]);
  }

  #addHook(hook: Field): void {
    const { links, folders } = hookOf(hook);
    folders.forEach((folder) => this.#folders.add(folder));
    for (const { target, path } of links) {
      const linked = linkedFile(target, path);
      if (linked === undefined) {
        hook.refuse(`the link ${path} leads to ${target}, which does not exist`);
      }
      if (linked.device) this.#devices.set(path, linked.source);
      else if (linked.place === "there") this.#read.add(path);
      else if (linked.place === "free") this.#bind.set(path, [linked.source, path, "ro"]);
      else {hook.refuse(
          `the link ${path} would lead to ${target}, and this machine has another file there`,
        );}
      if (linked.overlay !== undefined) this.#overlay.add(linked.overlay);
    }
  }
}

/** What a node can say of itself. */
type NodeFields = Readonly<
  Record<"type" | "major" | "minor" | "fileMode" | "permissions" | "uid" | "gid", Field>
>;

/** The device of this machine is shown as it is: what is said of it has to be so. */
function checkNode(fields: NodeFields, source: string, status: Statx): void {
  const { mode, rdev, uid, gid } = status;
  const kind = mode & S_IFMT;
  if (kind !== S_IFCHR && kind !== S_IFBLK) fields.type.refuse(`${source} is no device`);
  const type = fields.type.optionalText();
  const types = kind === S_IFBLK ? ["b"] : ["c", "u"];
  if (type !== undefined && !types.includes(type)) {
    fields.type.refuse(`${source} is not of the type ${quoted(type)}, but ${quoted(types[0]!)}`);
  }
  const [major, minor] = [fields.major.optionalNumber() ?? 0, fields.minor.optionalNumber() ?? 0];
  // In Go, whose programs write these files, a number that is missing is 0.
  if ((major !== 0 || minor !== 0) && makedev(major, minor) !== rdev) {
    fields.major.refuse(
      `${source} is not the device ${major}:${minor}; the file may be out of date`,
    );
  }
  const same = (field: Field, value: number, what: string) => {
    const asked = field.optionalNumber();
    if (asked === undefined || asked === value) return;
    field.refuse(`${source} ${what}, which a sandbox cannot change`);
  };
  // Beside the mode, files have the type in it.
  const given = fields.fileMode.optionalNumber();
  if (given !== undefined && (given & 0o7777) !== (mode & 0o7777)) {
    fields.fileMode.refuse(
      `${source} has the mode ${(mode & 0o7777).toString(8)}, which a sandbox cannot change`,
    );
  }
  same(fields.uid, uid, `belongs to user ${uid}`);
  same(fields.gid, gid, `belongs to group ${gid}`);
  const permissions = fields.permissions.optionalText() ?? "rwm";
  if (!/^[rwm]*$/.test(permissions) || !permissions.includes("r") || !permissions.includes("w")) {
    fields.permissions.refuse(
      `${
        quoted(permissions)
      } cannot be kept, as the device's owner and mode decide who may use it; "rw" can`,
    );
  }
}
