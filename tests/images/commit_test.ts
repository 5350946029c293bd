/** New images of what containers have changed. */

import { assertEquals } from "@std/assert";
import { commit, type Image, pull, type RunOptions, storedImages } from "../../images/mod.ts";
import { BUSYBOX, makeImage, systemFiles, writeLayout } from "./made_image.ts";
import { assertImageError, inDirectory } from "./support.ts";

/** A test with an image of busybox. */
function withImage(
  name: string,
  body: (image: Image, directory: string) => Promise<void>,
): void {
  const noBusybox = BUSYBOX === undefined ? "needs a static busybox (busybox-static)" : undefined;
  inDirectory(name, async (directory) => {
    const layout = `${directory}/layout`;
    const config = { Env: ["DISH=soup", "SALT=1"], Entrypoint: ["sh", "-c"], Cmd: ["echo before"] };
    writeLayout(layout, { tag: makeImage({ layers: [systemFiles()], config }) });
    const options = { store: `${directory}/store`, name: "tool:1" };
    await using image = await pull(`oci:${layout}:tag`, options);
    await body(image, directory);
  }, noBusybox);
}

/** The output of a script in a container of the image. */
async function inside(image: Image, script: string, options: RunOptions = {}): Promise<string> {
  const command = await image.command(["sh", "-euc", script], { entrypoint: [], ...options });
  const { code, stdout, stderr } = await command.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd();
}

const CHANGES = "echo salt > /etc/recipe; rm /etc/group; rm -r /home; busybox mkdir /home; " +
  "echo x > /home/new; busybox ln -s recipe /etc/link; busybox chmod 4750 /etc/recipe";

withImage("what a container has changed is a layer of a new image", async (image, directory) => {
  const changes = `${directory}/changes`;
  await inside(image, CHANGES, { persistent: changes });
  const config = { cmd: ["cat /etc/link; echo $DISH $SALT"], env: { DISH: "stew" }, user: "0" };
  const options = { changes, config, message: "salted", epoch: 1_700_000_000 };
  await using made = await commit(image, "tool:2", options);
  assertEquals(made.layers.length, 2);
  const text = await inside(made, "ls -R /etc /home; busybox stat -c '%a %Y' /etc/recipe");
  assertEquals(text.split("\n"), [
    "/etc:",
    ...["hostname", "hosts", "link", "passwd", "recipe", "resolv.conf", ""],
    ...["/home:", "new", "4750 1700000000"],
  ]);
  const { stdout } = await (await made.command()).output();
  assertEquals(new TextDecoder().decode(stdout), "salt\nstew 1\n");
  const history = JSON.parse(new TextDecoder().decode(await made.configBytes())).history;
  assertEquals(history, [
    { created: "2023-11-14T22:13:20Z", created_by: "ramekin commit", comment: "salted" },
  ]);
  await using again = await commit(image, "tool:3", options);
  assertEquals(again.digest, made.digest);
  const names = (await storedImages({ store: image.store })).map(({ shortName }) => shortName);
  assertEquals(names, ["tool:1", "tool:2", "tool:3"]);
  const nothing = { changes: directory };
  await assertImageError(() => commit(image, "tool:4", nothing), "not-found", "has no changes");
  await assertImageError(() => commit(image, "oci:x", options), "reference", "is no name");
  // A program can make a file that is all hole.
  await inside(image, "busybox truncate -s 900G /etc/hole", { persistent: changes });
  await assertImageError(
    () => commit(image, "tool:4", options),
    undefined,
    "etc/hole",
    "--max-size",
  );
});
