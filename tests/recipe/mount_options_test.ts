/** The option words of mount(8). */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  MS_DIRSYNC,
  MS_LAZYTIME,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_RELATIME,
  MS_SILENT,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
} from "../../ffi/calls/mounts.ts";
import { mountOptions, parseMountOptions } from "../../recipe/mount_options.ts";

const issueOf = (options: string) => mountOptions().issue(options);

Deno.test("words are flags, alone and together", () => {
  const flags = {
    ro: MS_RDONLY,
    nosuid: MS_NOSUID,
    nodev: MS_NODEV,
    noexec: MS_NOEXEC,
    sync: MS_SYNCHRONOUS,
    dirsync: MS_DIRSYNC,
    noatime: MS_NOATIME,
    nodiratime: MS_NODIRATIME,
    relatime: MS_RELATIME,
    strictatime: MS_STRICTATIME,
    lazytime: MS_LAZYTIME,
    nosymfollow: MS_NOSYMFOLLOW,
    silent: MS_SILENT,
  };
  for (const [word, flag] of Object.entries(flags)) {
    assertEquals(parseMountOptions(word), { flags: flag, data: null }, word);
  }
  assertEquals(parseMountOptions("ro,nosuid,nodev,noexec"), {
    flags: MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
    data: null,
  });
});

Deno.test("later words clear earlier flags and default ones", () => {
  assertEquals(parseMountOptions("ro,rw").flags, 0);
  assertEquals(parseMountOptions("rw,ro").flags, MS_RDONLY);
  assertEquals(parseMountOptions("suid", MS_NOSUID | MS_NODEV).flags, MS_NODEV);
  assertEquals(parseMountOptions("ro,nosuid,noexec,defaults").flags, 0);
  assertEquals(parseMountOptions("defaults,ro").flags, MS_RDONLY);
});

Deno.test("other options are passed to the filesystem, in order", () => {
  assertEquals(parseMountOptions("size=1m,ro,mode=0700"), {
    flags: MS_RDONLY,
    data: "size=1m,mode=0700",
  });
  assertEquals(parseMountOptions(undefined), { flags: 0, data: null });
  assertEquals(parseMountOptions(""), { flags: 0, data: null });
  assertEquals(parseMountOptions(",,a,,"), { flags: 0, data: "a" });
});

Deno.test("a comma within quotes does not separate options", () => {
  assertEquals(
    parseMountOptions('context="system_u:object_r:tmp_t:s0:c127,c456",ro').data,
    'context="system_u:object_r:tmp_t:s0:c127,c456"',
  );
});

Deno.test("words for fstab and for mount(8) are left out", () => {
  assertEquals(parseMountOptions("auto,nofail,_netdev,x-systemd.automount,X-mount.mkdir"), {
    flags: 0,
    data: null,
  });
  assertEquals(
    parseMountOptions("nouser,nousers,noowner,nogroup,comment=soup,noauto,uhelper=a,helper=b"),
    {
      flags: 0,
      data: null,
    },
  );
});

Deno.test("words that let users mount imply what they do for mount(8)", () => {
  const flags = (options: string) => parseMountOptions(options).flags;
  for (const word of ["user", "users"]) {
    assertEquals(flags(word), MS_NOSUID | MS_NODEV | MS_NOEXEC);
    assertEquals(flags(`${word},exec,dev,suid`), 0);
  }
  for (const word of ["owner", "group"]) assertEquals(flags(word), MS_NOSUID | MS_NODEV);
  assertEquals(parseMountOptions("user,user=soup").data, "user=soup");
});

Deno.test("names of Object.prototype are options of the filesystem", () => {
  for (const word of ["constructor", "toString", "__proto__"]) {
    assertEquals(parseMountOptions(word), { flags: 0, data: word });
    assertEquals(issueOf(word), undefined);
  }
});

Deno.test("words for another step are refused, with that step", () => {
  for (
    const [word, step] of [
      ["bind", "bind()"],
      ["rbind", "bind()"],
      ["remount", "remount()"],
      ["shared", "propagation()"],
      ["rslave", "propagation()"],
    ] as const
  ) {
    assertStringIncludes(issueOf(`ro,${word}`)!, step);
  }
  for (const word of ["loop", "loop=/dev/loop1", "offset=4096", "sizelimit=1m"]) {
    assertStringIncludes(issueOf(word)!, "loop device");
  }
  assertStringIncludes(issueOf("verity.roothash=00")!, "dm-verity");
  for (const word of ["X-mount.subdir=a", "x-mount.idmap=/proc/1/ns/user", "X-mount.mode=700"]) {
    assertStringIncludes(issueOf(word)!, "is done by mount(8)");
  }
  assertEquals(issueOf("X-mount.mkdir,x-systemd.requires=a"), undefined);
  assertEquals(issueOf("ro,size=bind"), undefined);
});
