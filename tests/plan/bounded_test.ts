/** The size and cost of plans of untrusted recipes are linear in the number of steps. */

import { assert, assertEquals } from "@std/assert";
import type { Host } from "../../host/host.ts";
import { liveHost } from "../../host/live_host.ts";
import { recordHost } from "../../host/recorded_host.ts";
import {
  bind,
  mapRoot,
  maskPaths,
  mkdir,
  pivotRoot,
  readonlyPaths,
  recipe,
  type RecipeInput,
  type Step,
  symlink,
  tmpfs,
  unmount,
  unshare,
  writeFile,
} from "../../mod.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { grounds, inDirectory, inside, test } from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot());

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** A host that counts the calls of its methods. */
function counting(): { readonly host: Host; readonly asked: () => number } {
  let asked = 0;
  const { host } = recordHost(liveHost());
  const counted: Host = {
    ...host,
    resolve: (path) => {
      asked++;
      return host.resolve(path);
    },
    setting: (path) => {
      asked++;
      return host.setting(path);
    },
    credentials: () => {
      asked++;
      return host.credentials();
    },
  };
  return { host: counted, asked: () => asked };
}

/** The number of calls of a plan, and of questions to the host. */
function effort(...steps: RecipeInput[]): { readonly calls: number; readonly questions: number } {
  const { host, asked } = counting();
  const plan = planRecipe(recipe(box, ...steps).steps, {}, host);
  const calls = plan.processes.reduce((sum, { parts }) => sum + parts.length, 0);
  return { calls, questions: asked() };
}

/** Checks that each further step adds no more calls and questions than this. */
function assertLinear(
  make: (count: number) => RecipeInput[],
  most: { readonly calls: number; readonly questions: number },
): void {
  const [few, many, more] = [10, 110, 990].map((count) => effort(...make(count)));
  for (const kind of ["calls", "questions"] as const) {
    const first = (many![kind] - few![kind]) / 100;
    const later = (more![kind] - many![kind]) / 880;
    assert(first <= most[kind], `${first} ${kind} for each of the first`);
    // Descriptors above the limit are closed one by one.
    assert(later <= most[kind], `${later} ${kind} for each of the others`);
  }
}

test("990 binds make a few calls each, and resolve each source once", () => {
  const bound = (source: (index: number) => string) => (count: number) => [
    tmpfs("/mnt"),
    ...times(count, (index) => bind(source(index), `/mnt/${index}`, { readOnly: true })),
    pivotRoot("/mnt"),
  ];
  assertLinear(bound(() => "/usr"), { calls: 9, questions: 0 });
  assertLinear(bound((index) => `/usr/${index}`), { calls: 16, questions: 1 });
});

test("nested binds of binds make no more calls", () => {
  const nested = (count: number) => [
    tmpfs("/mnt"),
    ...times(count, (index) => bind("/usr", `/mnt${"/a".repeat(index % 20 + 1)}/${index}`)),
  ];
  assertLinear(nested, { calls: 12, questions: 1 });
});

test("files, directories and links make a few calls each", () => {
  const files = (count: number) => [
    tmpfs("/mnt"),
    ...times(count, (index): Step =>
      [
        mkdir(`/mnt/${index}`),
        symlink("x", `/mnt/link ${index}`),
        writeFile(`/mnt/file ${index}`, "soup"),
      ][index % 3]!),
    pivotRoot("/mnt"),
  ];
  assertLinear(files, { calls: 5, questions: 0 });
});

test("repeated masks and read-only paths make a few calls for each path", () => {
  const paths = times(100, (index) => `/mnt/${index}`);
  for (const make of [maskPaths, readonlyPaths]) {
    const repeated = (count: number) =>
      effort(tmpfs("/mnt"), ...times(count, () => make(...paths)));
    const [one, two, all] = [1, 2, 70].map(repeated);
    const each = (two!.calls - one!.calls) / 100;
    assert(each < 14, `${each} calls for each path`);
    assert(all!.calls <= one!.calls + 69 * 100 * 14, `${all!.calls} calls`);
    assertEquals(all!.questions, one!.questions);
  }
});

test("hundreds of binds and masks run within the limit of open files", () =>
  inDirectory((directory) => {
    for (let index = 0; index < 400; index++) Deno.writeTextFileSync(`${directory}/${index}`, "");
    const paths = times(400, (index) => `/mnt/${index}`);
    for (const { mounts } of grounds("mount")) {
      const whole = mounts.with(
        tmpfs("/mnt"),
        ...paths.map((path, index) => bind(`${directory}/${index}`, path)),
        maskPaths(...paths),
        readonlyPaths(...paths),
        tmpfs("/mnt/over"),
        unmount("/mnt/over"),
      );
      assertEquals(inside(whole, "grep -c ' /mnt/[0-9]* ' /proc/self/mountinfo"), "1200");
    }
  })());
