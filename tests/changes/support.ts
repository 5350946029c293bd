/** Shared parts of the tests of held changes. */

import { call } from "../../ffi/call.ts";
import { O_CLOEXEC, O_DIRECTORY, O_NONBLOCK, O_PATH } from "../../ffi/calls/constants/open.ts";
import { removeAll } from "../../ffi/files/remove_tree.ts";
import { TreeReader } from "../../ffi/files/read_tree.ts";
import { open } from "../../ffi/linux/files.ts";
import { syscall } from "../../ffi/syscalls.ts";
import type { Recipe } from "../../mod.ts";
import { assertEquals } from "@std/assert";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";

/** A directory to be written, and one in which its changes are kept. */
export interface Kitchen {
  readonly directory: string;
  readonly place: string;
}

/** A test with a directory of its own, which is removed afterwards. */
export function inKitchen(
  name: string,
  body: (kitchen: Kitchen) => Promise<void>,
  skip?: string,
): void {
  test(name, async () => {
    const whole = await Deno.makeTempDir({ prefix: "ramekin-changes-" });
    const [directory, place] = [`${whole}/kitchen`, `${whole}/place`];
    try {
      Deno.mkdirSync(directory, { mode: 0o755 });
      await body({ directory, place });
    } finally {
      {
        using root = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
        await removeAll(root.number);
      }
      Deno.removeSync(whole);
    }
  }, skip);
}

/** Runs a shell script in a sandbox, in a directory; fails if it fails. */
export async function runIn(box: Recipe, cwd: string, script: string): Promise<string> {
  const command = box.command("sh", { args: ["-euc", script], cwd, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  assertEquals([code, decode(stderr)], [0, ""]);
  return decode(stdout);
}

/** A file as it is compared. */
export type Shown = Readonly<Record<string, unknown>>;

/** Returns what is in a directory, by paths. Of the times only those are told that a script has set. */
export async function shownIn(directory: string): Promise<Readonly<Record<string, Shown>>> {
  using root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const shown: Record<string, Shown> = {};
  const inodes = new Map<number, string>();
  await show(".");
  return shown;

  async function show(path: string): Promise<void> {
    const whole = `${directory}/${path}`;
    const { mode, uid, gid, size, nlink, ino, mtime, blocks, isFile, isDirectory, isSymlink } = Deno
      .lstatSync(whole);
    if (isFile && nlink! > 1 && !inodes.has(ino!)) inodes.set(ino!, path);
    const seconds = mtime!.getTime() / 1000;
    shown[path] = {
      mode: mode!.toString(8),
      uid,
      gid,
      ...(isFile && { size, blocks: blocks! * 512 < size / 2 ? "few" : "all" }),
      ...(isFile && nlink! > 1 && { name: inodes.get(ino!), nlink }),
      ...(isSymlink && { target: Deno.readLinkSync(whole) }),
      ...(seconds < 1.2e9 && { seconds }),
      ...((mode! & 0o400) !== 0 && (isFile || isDirectory) && { xattrs: await xattrsOf(path) }),
      ...((mode! & 0o400) !== 0 && isFile && size < 1e5 && { text: Deno.readTextFileSync(whole) }),
    };
    if (!isDirectory || (mode! & 0o500) !== 0o500) return;
    for (const { name } of [...Deno.readDirSync(whole)].sort((a, b) => a.name < b.name ? -1 : 1)) {
      await show(path === "." ? name : `${path}/${name}`);
    }
  }

  async function xattrsOf(path: string): Promise<readonly string[]> {
    using reader = new TreeReader(root.number);
    const slash = path.lastIndexOf("/");
    const [parent, name] = [slash < 0 ? "." : path.slice(0, slash), path.slice(slash + 1)];
    const texts = (xattrs: readonly { name: string; value: Uint8Array }[]) =>
      xattrs.map(({ name, value }) => `${name}=${decode(value)}`);
    if (Deno.lstatSync(`${directory}/${path}`).isDirectory) {
      return texts((await reader.directory(path)).xattrs);
    }
    for await (const { xattrs } of reader.files(parent, [{ name, type: 0o100000 }])) {
      return texts(xattrs);
    }
    return [];
  }
}

/** Gives a file an attribute of programs. */
export function setXattr(path: string, name: string, value: string): void {
  using file = open(path, O_NONBLOCK | O_CLOEXEC);
  const bytes = new TextEncoder().encode(value);
  syscall(call("fsetxattr", file.number, name, bytes, bytes.length, 0));
}
