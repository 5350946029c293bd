/** Other engines run the images that are made here. */

import { assertEquals } from "@std/assert";
import { commit, packImage, pull, save, storedImage } from "../../images/mod.ts";
import {
  bind,
  chdir,
  type Command,
  mkdir,
  recipe,
  setEnv,
  setUser,
  symlink,
  writeFile,
} from "../../mod.ts";
import {
  CONTAINERD,
  noContainerd,
  noPodman,
  PODMAN,
  PODMAN_RUN,
  printed,
  scriptApart,
} from "./engines.ts";
import { BUSYBOX, makeImage, systemFiles, writeLayout } from "./made_image.ts";
import { inDirectory } from "./support.ts";

const noBusybox = BUSYBOX === undefined ? "needs a static busybox (busybox-static)" : undefined;

const linesOf = async (command: Command) => (await printed(command)).trimEnd().split("\n");

inDirectory("podman runs what was packed, committed and saved", async (directory) => {
  const config = { Entrypoint: ["sh", "-euc"], Cmd: ["echo before"], Env: ["SALT=1"] };
  writeLayout(`${directory}/layout`, { tag: makeImage({ layers: [systemFiles()], config }) });
  const store = `${directory}/store`;
  await using base = await pull(`oci:${directory}/layout:tag`, { store, name: "base:1" });
  Deno.mkdirSync(`${directory}/home`);
  Deno.writeTextFileSync(`${directory}/home/new`, "x", { mode: 0o600 });
  const kitchen = recipe(
    mkdir("/srv/kitchen", { mode: 0o755 }),
    setUser({ uid: 1234 }),
    writeFile("/srv/kitchen/menu", "soup\n"),
    symlink("/srv/kitchen/menu", "/etc/menu"),
    // What the base has there is hidden.
    bind(`${directory}/home`, "/home"),
    setEnv({ DISH: "soup" }),
    chdir("/home"),
  );
  const cmd = [
    "id -u; pwd; ls -R /home; cat /etc/menu; echo $SALT $DISH; " +
    "busybox stat -c '%a %u %Y' /srv/kitchen /srv/kitchen/menu /home/new /srv",
  ];
  const options = { from: base, copy: true, epoch: 7, config: { cmd } };
  await packImage(kitchen, "localhost/packed:1", options);
  await using packed = (await storedImage("localhost/packed:1", { store }))!;
  const changes = `${directory}/changes`;
  const change = "rm /etc/group /etc/menu; rm -r /home; busybox mkdir /home; " +
    "echo salt >/etc/recipe; busybox ln /etc/recipe /home/link; busybox chmod 4750 /etc/recipe";
  const as = { user: "0", cwd: "/" };
  await printed(await packed.command([change], { ...as, persistent: changes }));
  const told = {
    cmd: ["id -u; ls /home; busybox stat -c '%a %h' /etc/recipe; test ! -e /etc/menu"],
  };
  await using committed = await commit(packed, "localhost/committed:1", { changes, config: told });
  {
    using file = await Deno.create(`${directory}/images.tar`);
    await save([packed, committed], file);
  }
  const runs: Readonly<Record<string, readonly string[]>> = {
    "localhost/packed:1": [
      ...["1234", "/home", "/home:", "new", "soup", "1 soup"],
      ...["755 0 7", "644 1234 7", "600 0 7", "755 0 7"],
    ],
    "localhost/committed:1": ["1234", "link", "4750 2"],
  };
  const load = `${PODMAN} load -q -i ${directory}/images.tar >/dev/null`;
  const script = [load, ...Object.keys(runs).map((name) => `${PODMAN_RUN} ${name}`)].join("\n");
  const lines = Object.values(runs).flat();
  assertEquals(await linesOf(scriptApart(script)), lines);
  // They are the same here.
  const here = [await linesOf(await packed.command()), await linesOf(await committed.command())];
  assertEquals(here.flat(), lines);
}, noPodman ?? noBusybox);

inDirectory("containerd has the files of what was packed", async (directory) => {
  writeLayout(`${directory}/layout`, { tag: makeImage({ layers: [systemFiles()] }) });
  const store = `${directory}/store`;
  await using from = await pull(`oci:${directory}/layout:tag`, { store, name: "base:1" });
  Deno.mkdirSync(`${directory}/home`, { mode: 0o700 });
  const kitchen = recipe(
    mkdir("/srv/kitchen", { mode: 0o711 }),
    writeFile("/srv/kitchen/menu", "soup\n", { mode: 0o640 }),
    // The base has a directory in it.
    bind(`${directory}/home`, "/home"),
  );
  const archive = `oci-archive:${directory}/packed.tar:localhost/packed:1`;
  await packImage(kitchen, archive, { from, copy: true, epoch: 7 });
  const script = `${CONTAINERD}
    $ctr images import ${directory}/packed.tar >/dev/null
    mkdir /run/root
    $ctr images mount localhost/packed:1 /run/root >/dev/null
    chroot /run/root sh -euc '
      busybox stat -c "%a %u %Y" /srv/kitchen /srv/kitchen/menu /home
      cat /srv/kitchen/menu
      ls /home'`;
  assertEquals(await linesOf(scriptApart(script)), [
    ...["711 0 7", "640 0 7", "700 0 7", "soup"],
  ]);
}, noContainerd ?? noBusybox);
