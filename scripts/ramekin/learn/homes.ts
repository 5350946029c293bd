/**
 * The home directories of people: root may read those of all.
 *
 * @module
 */

/** The first uid of people on most machines, and that of nobody. */
const PEOPLE = { first: 1000, end: 65534 };

/** The user's, and those that /etc/passwd has for root and for people. */
export function homeDirectories(own: string | undefined): readonly string[] {
  const others = linesOf("/etc/passwd").flatMap((line) => {
    const [, , uid, , , home = ""] = line.split(":");
    const isPerson = Number(uid) >= PEOPLE.first && Number(uid) < PEOPLE.end;
    return isPerson || uid === "0" ? [home] : [];
  });
  const homes = [own ?? "", ...others].map((path) => path.replace(/\/+$/, ""));
  return [...new Set(homes.filter((path) => path.startsWith("/")))];
}

function linesOf(path: string): readonly string[] {
  try {
    return Deno.readTextFileSync(path).split("\n");
  } catch {
    return [];
  }
}
