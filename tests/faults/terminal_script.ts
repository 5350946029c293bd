/** A script that passes its terminal to one container after the other, until it is killed. */

import { mapRoot, recipe, unshare } from "../../mod.ts";

const box = recipe(unshare("user", "pid"), mapRoot());
for (;;) await box.command("sleep", { args: ["0.01"], terminal: true }).spawn().status;
