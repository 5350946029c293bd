/**
 * The files of a host without which programs do not run: programs and libraries, and of /etc what
 * they are configured by. /etc has secrets too, also such that all users may read (tokens of
 * package managers, environment), so that what is shown is listed.
 *
 * @module
 */

import { CERTIFICATES, NETWORK_FILES } from "./network_files.ts";

/** Programs and libraries. */
const PROGRAMS = [
  "usr",
  "bin",
  "sbin",
  "lib",
  "lib32",
  "lib64",
  // NixOS and Guix System have all of them here, and links to it everywhere else.
  "nix/store",
  "gnu/store",
];

/** What the loader and the C library read. */
const LIBRARY_FILES = [
  "alternatives",
  "group",
  // Where the loader of musl looks for libraries.
  "ld-musl-*.path",
  "ld.so.cache",
  // Every program that sets its locale reads it, by a link of /usr/share/locale.
  "locale.alias",
  "localtime",
  "nsswitch.conf",
  "passwd",
  // What the files of /etc are links into on NixOS; it is in the store.
  "static",
];

/**
 * What programs of /usr do not run without, mostly by links from there: on Debian, Ubuntu, Fedora,
 * Arch and openSUSE. Of Maven and R there is no more, as passwords may lie beside (settings.xml,
 * Renviron.site).
 */
const CONFIGURATION = [
  "R/Makeconf",
  "R/Renviron",
  "R/ldpaths",
  "R/repositories",
  "fonts",
  "groff",
  "java*-openjdk",
  // Fedora has a directory for each version.
  "java/java-*-openjdk",
  "man_db.conf",
  "manpath.config",
  "maven/logging",
  "maven/m2.conf",
  // Debian's Python imports it at each start, by a link of /usr/lib.
  "python3.*/sitecustomize.py",
  "texmf",
];

/** What is hidden in these: the passwords of Java's management. */
export const HIDDEN_FILES: readonly string[] = [
  "etc/java*-openjdk/management/*.password",
  "etc/java/java-*-openjdk/*/conf/management/*.password",
];

/** What every sandbox shows, as paths from the root. */
export const SYSTEM_FILES: readonly string[] = [
  ...PROGRAMS,
  ...[...LIBRARY_FILES, ...CONFIGURATION].map((name) => `etc/${name}`),
  ...CERTIFICATES.map(fromRoot),
];

/** What in /run leads to the programs of NixOS and Guix System. */
export const CURRENT_SYSTEM: readonly string[] = ["current-system"];

/** Returns what there is beside it with the host's network, as paths from the root. */
export function systemNetworkFiles(): readonly string[] {
  return NETWORK_FILES.map(fromRoot);
}

function fromRoot(path: string): string {
  return path.slice(1);
}
